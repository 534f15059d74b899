"""`toyvmm run`: run a guest on the bare machine."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmm.cli import watching
from vmm.cli.boot import DiskImage, Kernel, add_symbols, are_written, boot, open_disks
from vmm.cli.files import Refusal, discard, need_stdout, tell, write
from vmm.cli.params import Causes, Count, Seconds, Size
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.cli.target import Target

PROFILES = ("strict", "leaky", "leaky-user")


@click.command()
@click.argument("guest", metavar="[TARGET]", required=False)
@click.option("--profile", type=click.Choice(PROFILES), default="strict", show_default=True,
              help="What a sensitive instruction does when it lacks privilege.")
@click.option("--cost", default="modern", show_default=True, metavar="NAME|FILE",
              help="What things cost: a preset (p4, core2, modern) or FILE.toml[:NAME].")
@click.option("--clock", type=click.Choice(("cycles", "icount")), default="cycles",
              show_default=True, help="What the guest's time derives from.")
@click.option("--svade", is_flag=True,
              help="A clear A bit, or D on a store, is a page fault: the kernel sets them.")
@click.option("--mem", type=Size(), default="16M", show_default=True, help="Size of RAM.")
@click.option("--max-insns", type=Count(), default="20e9", show_default=True,
              help="Stop after that many instructions; 0: never.")
@click.option("--timeout", type=Seconds(), default=300, show_default=True, metavar="SECONDS",
              help="Stop after that time of running, waiting for input not counted; 0: never.")
@click.option("--input", "script", type=click.Path(path_type=Path), metavar="FILE",
              help="Console input from FILE instead of stdin.")
@click.option("--demo", is_flag=True, help="Console input from the example's own script.")
@click.option("-I", "include", type=click.Path(path_type=Path), multiple=True, metavar="DIR",
              help="Where else .include looks, if TARGET is a source.")
@click.option("--kernel", type=click.Path(path_type=Path), metavar="IMAGE",
              help="Boot a raw RISC-V kernel Image, such as Linux's, in place of TARGET.")
@click.option("--initrd", type=click.Path(path_type=Path), metavar="FILE",
              help="The kernel's initial RAM disk.")
@click.option("--append", metavar="TEXT", help="The kernel's command line.")
@click.option("--symbols", type=click.Path(path_type=Path), metavar="FILE",
              help="Names for addresses from an ELF, such as vmlinux, or a System.map.")
@click.option("--disk", "images", type=DiskImage(), multiple=True,
              metavar="FILE[,ro|,cow][,legacy]",
              help="A virtio disk on a raw image: read-only, or written in memory only (cow), or "
              "by the legacy registers; up to 8.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE",
              help="Save a snapshot of the machine, and go on; at the end, unless --at says when.")
@click.option("--at", type=Count(), metavar="N", help="Save after N instructions.")
@click.option("--restore", type=click.Path(path_type=Path), metavar="FILE",
              help="Go on from a snapshot; TARGET is not needed.")
@click.option("--crash-on", type=Causes(), default=(), metavar="CAUSE,...",
              help="Stop with a crash report at the first such exception, such as illegal, in "
              "place of the kernel's own handler.")
@click.option("--gdb", "debugger", metavar="PORT|stdio",
              help="Wait for gdb on a port of this host, or talk to it over stdin and stdout.")
@watching.options
@click.option("--signature", type=click.Path(path_type=Path), metavar="FILE",
              help="Write memory from begin_signature to end_signature to FILE at the end.")
@click.option("--json", "as_json", is_flag=True,
              help="Print one JSON object instead of the console, which is in it.")
@click.option("--json-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the JSON object to FILE as well.")
@click.option("-q", "--quiet", is_flag=True, help="No summary line.")
@click.pass_context
def run(context: click.Context, guest: str | None, profile: str, cost: str, clock: str, svade: bool,
        mem: int, max_insns: int, timeout: float, script: Path | None, demo: bool,
        include: tuple[Path, ...], kernel: Path | None, initrd: Path | None,
        append: str | None, symbols: Path | None,
        images: tuple[tuple[Path, frozenset[str]], ...], save: Path | None, at: int | None,
        restore: Path | None, crash_on: tuple[int, ...], debugger: str | None,
        signature: Path | None, as_json: bool, json_file: Path | None, quiet: bool,
        **watched: Any) -> int:
    """Run a guest on the machine.

    TARGET is an example's name, an assembly source (.S), or a static RV32 ELF.

    The guest starts in S mode at the ELF's entry. Its console is stdout, everything else goes
    to stderr. It ends by an SBI reset, the finisher at 0x100000, or `tohost`.

    A kernel Image (--kernel) starts where its header says, with a1 pointing to a device tree. What
    it wrote to a disk is on the host's disk when its flush completes.

    A snapshot (--save) holds all of the machine: a run that goes on from it (--restore) ends as
    the run that was not stopped. It is written whole or not at all. Of a disk it holds what was
    written to it by `cow`, not the image: --restore wants the same --disk options, and the image
    as it was.

    Input comes from stdin. From a terminal each key goes to the guest as it is pressed; Ctrl-C
    ends the run. From a pipe the guest gets the bytes at fixed virtual times, so the same
    input gives the same run; at its end the guest gets one Ctrl-D. A pipe that stays open without
    data holds the guest where it looks for input, until it is known what it sees: `</dev/null`
    says that there is none.
    """
    from vmm.cli import console, report
    from vmm.cli.checkpoint import Checkpoint, restored
    from vmm.cli.session import Extras, Limits, Session
    from vmm.cli.target import Target

    if [guest, kernel, restore].count(None) == 3:
        raise click.UsageError("Missing argument 'TARGET'.", context)
    if kernel and (guest or restore):
        raise click.UsageError("--kernel takes the place of TARGET and of --restore", context)
    if not kernel and (initrd or append is not None):
        raise click.UsageError("--initrd and --append go with --kernel", context)
    if at is not None and save is None:
        raise click.UsageError("--at says when to --save FILE", context)
    if kernel:
        found = Kernel(kernel, initrd, append or "")
    elif guest is None:
        found = Target(restore.name, b"")
    else:
        found = find_target(guest, list(include))
    if demo:
        if script or kernel or not found.script:
            raise click.UsageError("--demo needs an example that has a script, and no --input")
        script = found.script
    if as_json:
        need_stdout()
    if json_file and json_file.is_dir():
        raise Refusal(f"{json_file}: is a directory")
    disks = open_disks(images)
    if restore:
        settings = {"mem": mem, "profile": profile, "cost": cost, "clock": clock, "svade": svade}
        given = {key for key in settings if _given(context, key)}
        machine, settings = restored(restore, {key: settings[key] for key in given},
                                     [disk for disk, _ in disks])  # fmt: skip
        mem, profile, cost, clock, svade = settings
    else:
        machine = _machine(mem, profile, cost, clock, svade)
        boot(machine, found, disks)
    if symbols:
        add_symbols(machine, symbols)
    root = machine.hart.root  # what is not delegated to S ends a bare machine's run
    root.deleg_exc = int(root.deleg_exc) & ~sum(1 << cause for cause in set(crash_on))
    gc.freeze()  # what a start loads stays to the end: nobody need look through it again
    gc.enable()
    if debugger:
        from vmm.cli.debug import debug

        if as_json or json_file or save:
            raise click.UsageError("--gdb goes without --json, --json-file and --save", context)
        if are_written(images):
            raise click.UsageError("going back cannot undo what a guest writes to an image: --gdb "
                                   "takes --disk FILE,ro or FILE,cow", context)  # fmt: skip
        return debug(machine, debugger, script, _print)
    checkpoint = Checkpoint(save, at) if save else None
    from vmm.trail import Trail

    # To tell a crash's last instructions they are run again, which must not write a disk.
    trail = None if are_written(images) else Trail(machine)
    transcript = report.Transcript()

    def show(data: bytes) -> None:
        transcript.add(data)
        if data and not as_json:
            _print(data)

    try:
        with (
            console.opened(script, keyboard=not as_json) as keys,
            watching.stepper(machine, watched) as stepper,
        ):
            extras = Extras(checkpoint, stepper, trail)
            outcome = Session(machine, keys, show, Limits(max_insns, timeout), extras).run()
    except BrokenPipeError:
        discard(1)
        return Status.CLOSED
    hint = None
    if outcome.status is not Status.PASSED:
        from vmm.cli.hint import lack

        hint = lack(machine)
    if as_json or json_file:
        chosen = {"profile": profile, "cost": cost, "clock": clock, "svade": svade, "mem": mem}
        text = report.document(found.name, machine, outcome, transcript, chosen, hint)
        if json_file:
            write(json_file, text.encode())
        if as_json:
            click.echo(text, nl=False)
    if outcome.exit == "fatal":
        _tell_crash(machine, trail, found)
    if signature:
        write(signature, _signature(machine).encode())
    if checkpoint and (line := checkpoint.missed(machine)):
        tell(f"toyvmm: {line}")
    if not quiet:
        if transcript.inside_line and not as_json:  # the summary begins a line
            tell("")
        tell(report.summary(found.name, machine, outcome))
        if hint:
            tell(f"toyvmm: hint: {hint}")
    return outcome.status


def _given(context: click.Context, option: str) -> bool:
    """Whether the user named the option, rather than have its default."""
    return context.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT


def find_target(guest: str, include: list[Path]) -> Target:
    """The target; its assembly errors are printed and end the command."""
    from asm.errors import AsmErrors
    from vmm.cli.target import find

    try:
        return find(guest, include)
    except AsmErrors as errors:
        tell(str(errors))
        raise click.exceptions.Exit(Status.USAGE) from None


def _machine(mem: int, profile: str, cost: str, clock: str, svade: bool):
    """A machine with nothing loaded; Refusal if it cannot be made."""
    from toyisa.levels import Profile
    from toyisa.machine import Machine

    level = Profile[profile.upper().replace("-", "_")]
    try:
        return Machine(mem, level, cost, clock, svade)
    except ValueError as error:  # memory out of range, or a CostError
        raise Refusal(str(error)) from None


def _tell_crash(machine: Any, trail: Any, found: Target | Kernel) -> None:
    from vmm.crash import report

    for line in report(machine, trail, found.source_line):
        tell(f"toyvmm: {line}")


def _signature(machine: Any) -> str:
    from vmm.signature import NoSignature, signature

    try:
        return signature(machine)
    except NoSignature as error:
        raise Refusal(f"--signature: {error}") from None


def _print(data: bytes) -> None:
    """The guest's bytes to stdout at once, as they are."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refusal(f"cannot write to stdout: {error.strerror}") from None
