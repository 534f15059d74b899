"""Answers for the command line as a whole: its commands, exit codes, and all errors.

Must not know what a command does.  Whatever happens, the user sees a line that says what is
wrong, and never a traceback.
"""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from toyisa.compiled.choice import NoCompiler
from toyisa.files import progress
from toyisa.files.reading import Unreadable
from toyisa.files.writing import Unwritable
from vmm.cli import refused, watchdog
from vmm.cli.completion import answer
from vmm.cli.files import Refusal, closed, discard, tell
from vmm.cli.status import MEANING, Status

TRACEBACK = "TOYVMM_TRACEBACK"


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # takes 50 ms, which only this option should pay

        try:
            click.echo(f"toyvmm {metadata.version('toyvmm')}")
        except metadata.PackageNotFoundError:
            click.echo("toyvmm (a checkout that is not installed)")
        context.exit()


def _exit_codes() -> str:
    """The table of exit codes, as click wants it: \\b keeps the lines as they are."""
    lines = [f"  {status:>3}  {meaning}" for status, meaning in MEANING.items()]
    return "\b\nExit codes:\n" + "\n".join(lines)


# The commands, each with its module: `vmm.cli.` and its name with underscores.
COMMANDS = (
    "asm", "boot", "bt", "cache", "classify", "compare", "completion", "disasm", "doctor",
    "examples", "experiment", "explain", "explain-leak", "fuzz", "host", "patch-stats", "run",
    "stat",
)  # fmt: skip


class Commands(click.Group):
    """The commands; only the one that is asked for is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in alphabetical order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        return getattr(import_module(f"vmm.cli.{name}"), name)


@click.group(
    cls=Commands,
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


def main() -> None:
    """The entry point of the console script."""
    # Imports make no garbage, and looking for it takes a fifth of the start; see `run`
    gc.disable()
    _open_standard_streams()
    watchdog.watch()
    if (code := answer(cli)) is not None:
        sys.exit(code)
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line and return the exit code; every error ends here."""
    refused.printed.clear()
    try:
        # Not `cli.main`, which answers a closed pipe with exit code 1, "the guest failed".
        with cli.make_context("toyvmm", list(arguments)) as context:
            try:
                return int(cli.invoke(context) or 0)
            finally:
                progress.clear()
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
    except (Unreadable, Unwritable, NoCompiler) as error:
        Refusal(str(error)).show()
        return _end(arguments, Status.USAGE, str(error))
    except (click.Abort, KeyboardInterrupt):
        watchdog.answered()
        return _end(arguments, Status.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        discard(1)
        return Status.CLOSED
    except Exception as error:
        # Files have names, stdout has none
        if isinstance(error, OSError) and error.filename is None:
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
    """Return the exit code, after printing the JSON that was asked for: scripts read nothing
    else.
    """
    try:
        refused.tell(arguments, status, reason, problems)
    except OSError:
        discard(1)
    return status


def _open_standard_streams() -> None:
    """Open stdin, stdout and stderr as /dev/null if the shell closed them (`<&-`).

    Otherwise the next file that is opened would get the number, and what is meant for the
    stream would be written to it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
