"""`toyvmm run`: run a guest on the bare machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmm.cli import options, watching
from vmm.cli.files import Refusal, commit, write
from vmm.cli.params import Causes, Count
from vmm.cli.status import Status

SETTINGS = ("profile", "cost", "clock", "svade", "mem")


@click.command()
@options.guest
@options.machine
@options.limits("20e9", 300)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE",
              help="Save a snapshot of the machine, and continue; at the end of the run, unless "
                   "--at says when.")
@click.option("--at", type=Count(), metavar="N", help="Save after N instructions.")
@click.option("--restore", type=click.Path(path_type=Path), metavar="FILE",
              help="Continue from a snapshot. TARGET is not needed; if given, it must be the "
                   "program of the snapshot.")
@click.option("--crash-on", type=Causes(), default=(), metavar="CAUSE,...|all",
              help="Stop with a crash report at the first such exception instead of entering the "
                   "kernel's handler. A CAUSE is a name or a number, such as illegal or 2; `all` "
                   "means all except ecall.")
@options.check
@options.debugger
@watching.options(watching.KINDS)
@click.option("--signature", type=click.Path(path_type=Path), metavar="FILE",
              help="Write memory from begin_signature to end_signature to FILE at the end.")
@options.expected
@options.results
@click.pass_context
def run(context: click.Context, save: Path | None, at: int | None, restore: Path | None,
        crash_on: tuple[int, ...], check: str | None, signature: Path | None, **given: Any) -> int:
    """Run a guest on the machine.

    TARGET is an example's name, an assembly source (.S), or a static RV32 ELF.

    The guest starts in S mode at the ELF's entry point. Its console is stdout; everything else
    goes to stderr. It ends by an SBI reset, by the finisher at 0x100000, or by `tohost`.

    A kernel Image (--kernel) starts where its header says, with a1 pointing to a device tree.
    What it writes to a disk is on the host's disk when its flush completes.

    A snapshot (--save) holds the whole machine: a run that continues from it (--restore) ends as
    the run that was not stopped. It is written completely or not at all. It does not hold disk
    images, only what was written to a `cow` disk: --restore needs the same --disk options and
    unchanged images.

    Input comes from stdin. If stdin is a terminal, each key goes to the guest as it is pressed,
    and Ctrl-C ends the run. If stdin is a pipe, the guest gets the bytes at fixed virtual times,
    so the same input gives the same run. At the end of the pipe the guest gets one Ctrl-D. If the
    pipe stays open without data, the guest waits where it looks for input. For no input, use
    `</dev/null`.
    """
    from vmm.cli import guest as guests
    from vmm.cli.checkpoint import refuse_other_program
    from vmm.cli.conduct import Run, print_bytes, settle_garbage, settle_outputs
    from vmm.cli.session import Extras

    if at is not None and save is None:
        raise click.UsageError("--at needs --save FILE", context)
    given |= {"save": save, "signature": signature}
    if given["debugger"]:
        from vmm.cli.debug import refuse_with

        refuse_with(given, "as_json", "json_file", "save")
    guest = guests.chosen(context, given, restore=restore)
    settle_outputs(context, given, guest.inputs, "json_file", "save", "signature")
    settings = {key: given[key] for key in SETTINGS}
    disks = guest.disks()
    if restore:
        machine, settings = _restored(context, restore, settings, [opened.disk for opened in disks])
        if given["guest"]:
            refuse_other_program(restore, machine, guest.what)
        guest.name_addresses(machine)
    else:
        machine = guests.new_machine(settings)
        guest.load(machine, disks)
    root = machine.hart.root  # on a bare machine a trap that is not delegated to S ends the run
    root.deleg_exc = int(root.deleg_exc) & ~sum(1 << cause for cause in set(crash_on))
    settle_garbage()
    if given["debugger"]:
        from vmm.cli.debug import debug

        if guest.writes:
            raise click.UsageError("gdb can go back, which cannot undo what a guest writes to an "
                                   "image; use --disk FILE,ro or FILE,cow with "
                                   "--gdb", context)  # fmt: skip
        return debug(machine, given["debugger"], guest.script, print_bytes)
    from vmm.cli.checkpoint import Checkpoint
    from vmm.watch.laststeps import LastSteps

    if signature:
        _signature(machine)  # fails if the guest has none
    checkpoint = Checkpoint(save, at) if save else None
    # A crash report runs the last instructions again, which must not write to a disk.
    steps = None if guest.writes else LastSteps(machine)
    fences = None
    if check:
        from vmm.cli.fencing import Fencing

        fences = Fencing(guest, machine)
    outcome = Run(
        guest, machine, given, settings,
        extras=Extras(checkpoint, None, steps),
        stepper=lambda: watching.stepper(machine, given, fences=fences),
        more=lambda: {"fences": fences.document()} if fences else {},
    ).conduct()  # fmt: skip
    if outcome is None:
        return Status.CLOSED
    if signature:
        write(signature, _signature(machine).encode())
    commit()
    return outcome.status


def _restored(
    context: click.Context, path: Path, settings: dict[str, Any], disks: list[Any]
) -> tuple[Any, dict[str, Any]]:
    """The machine in a snapshot and its settings, which must be those that the user named."""
    from vmm.cli.checkpoint import restored

    asked = {key: value for key, value in settings.items() if _named(context, key)}
    machine, (mem, profile, cost, clock, svade) = restored(path, asked, disks)
    found = {"mem": mem, "profile": profile, "cost": cost, "clock": clock, "svade": svade}
    return machine, {key: found[key] for key in SETTINGS}


def _named(context: click.Context, option: str) -> bool:
    """Whether the user gave the option; otherwise it has its default."""
    return context.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT


def _signature(machine: Any) -> str:
    from vmm.watch.signature import NoSignature, signature

    try:
        return signature(machine)
    except NoSignature as error:
        raise Refusal(f"--signature: {error}") from None
