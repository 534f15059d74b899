"""Answers for the command line as a whole: its commands, exit codes, last resort.

Must not know what a command does.  Whatever happens, the user sees a line that
says what is wrong, and never a traceback.
"""

import gc
import os
import sys
from collections.abc import Sequence

import click

from toyisa.files.reading import Unreadable
from toyisa.files.writing import Unwritable
from vmm.cli import interrupt, refused
from vmm.cli.asm import asm
from vmm.cli.boot import boot
from vmm.cli.bt import bt
from vmm.cli.cache import cache
from vmm.cli.classify import classify
from vmm.cli.compare import compare
from vmm.cli.completion import answer, completion
from vmm.cli.disasm import disasm
from vmm.cli.doctor import doctor
from vmm.cli.examples import examples
from vmm.cli.explain import explain
from vmm.cli.explain_leak import explain_leak
from vmm.cli.files import Refusal, closed, discard, tell
from vmm.cli.fuzz import fuzz
from vmm.cli.patch_stats import patch_stats
from vmm.cli.run import run
from vmm.cli.stat import stat
from vmm.cli.status import MEANING, Status

TRACEBACK = "TOYVMM_TRACEBACK"


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # 50 ms that only this option pays

        try:
            click.echo(f"toyvmm {metadata.version('toyvmm')}")
        except metadata.PackageNotFoundError:
            click.echo("toyvmm (a checkout that is not installed)")
        context.exit()


def _exit_codes() -> str:
    """The table of exit codes, as click wants it: \\b keeps the lines as they are."""
    lines = [f"  {status:>3}  {meaning}" for status, meaning in MEANING.items()]
    return "\b\nExit codes:\n" + "\n".join(lines)


@click.group(
    epilog=_exit_codes(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Show the version and exit.",
)  # fmt: skip
def cli() -> None:
    """A small RISC-V machine, to learn and teach virtualization by running it.

    Start with `toyvmm examples`, then `toyvmm run hello`.
    """


COMMANDS = (
    run, boot, stat, compare, examples, asm, disasm, bt, explain, explain_leak, classify,
    patch_stats, fuzz, cache, doctor, completion,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """The entry point of the console script."""
    gc.disable()  # imports make no garbage, and looking for it is a fifth of a start; see `run`
    _open_standard_streams()
    interrupt.watch()
    if (code := answer(cli)) is not None:
        sys.exit(code)
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line and return the exit code; every error ends here."""
    refused.printed.clear()
    try:
        # Not `cli.main`, which answers a closed pipe with exit code 1, "the guest failed".
        with cli.make_context("toyvmm", list(arguments)) as context:
            return int(cli.invoke(context) or 0)
    except refused.BuildFailed as failed:
        return _end(arguments, Status.USAGE, failed.reason, failed.problems)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        try:
            error.show()
        except OSError:
            discard(2)
        return _end(arguments, Status.USAGE, error.format_message())
    except click.ClickException as error:
        Refusal(error.format_message()).show()
        return _end(arguments, Status.USAGE, error.format_message())
    except (Unreadable, Unwritable) as error:
        Refusal(str(error)).show()
        return _end(arguments, Status.USAGE, str(error))
    except (click.Abort, KeyboardInterrupt):
        interrupt.answered()
        return _end(arguments, Status.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        discard(1)
        return Status.CLOSED
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:  # files have names, stdout none
            discard(1)
            tell(f"toyvmm: cannot write to stdout: {error.strerror or error}")
            return Status.USAGE
        if os.environ.get(TRACEBACK):
            raise
        reason = (str(error).strip() or "no message").splitlines()[0]
        tell(
            f"toyvmm: internal error: {type(error).__name__}: {reason}\n"
            f"toyvmm: please report it; {TRACEBACK}=1 shows where it happened"
        )
        return _end(arguments, Status.INTERNAL, f"internal error: {type(error).__name__}")


def _end(arguments: Sequence[str], status: Status, reason: str, problems: Sequence = ()) -> int:
    """The exit code, with the JSON that was asked for: scripts read nothing else."""
    try:
        refused.tell(arguments, status, reason, problems)
    except OSError:
        discard(1)
    return status


def _open_standard_streams() -> None:
    """Where the shell closed stdin, stdout or stderr (`<&-`), nothing comes and all may go.

    Otherwise the next file that is opened would take its number, and be written to.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
