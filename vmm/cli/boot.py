"""`toyvmm boot`: run a guest in a virtual machine, under an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmm.cli import options, watching
from vmm.cli.files import commit
from vmm.cli.run import SETTINGS
from vmm.cli.status import Status

SCHEMA = "toyvmm.boot/1"
INSNS, SECONDS = "20e9", 60  # a guest that runs wrong may never end

engine = options.group(
    click.option("--engine", "name", default="trap", show_default=True, metavar="NAME|FILE.py",
                 help="How the guest's kernel runs: native (bare), trap, bt, pv; or a file "
                      "that registers an engine."),
    click.option("--paging", metavar="NAME",
                 help="How the guest's addresses are translated, if the engine has several ways: "
                      "own (native), shadow (trap, bt), direct (pv)."),
    click.option("--force", type=click.Choice(("inline", "callout", "trap")),
                 help="bt: how the kernel reads the time.  [default: inline]"),
    click.option("--no-adapt", is_flag=True,
                 help="bt: do not adapt instructions that keep trapping."),
)  # fmt: skip


@click.command()
@options.guest
@engine
@options.machine
@options.limits(INSNS, SECONDS)
@options.check
@options.debugger
@watching.options((*watching.GUEST_KINDS, *watching.EXIT_KINDS))
@click.option("--timeline", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the guest's exits to FILE in Chrome's trace format, for Perfetto.")
@options.expected
@options.results
@click.pass_context
def boot(context: click.Context, name: str, paging: str | None, check: str | None,
         **given: Any) -> int:
    """Boot a guest's kernel in a virtual machine.

    TARGET is an example's name, an assembly source (.S), or a static RV32 ELF. Console, input,
    limits and exit codes are those of `toyvmm run`, which is `--engine native`.

    On a machine with holes (--profile leaky), an engine that relies on traps runs the guest
    wrong. `toyvmm explain-leak` shows where.
    """
    from vmm.cli import engine as engines
    from vmm.cli import guest as guests
    from vmm.cli.conduct import Run, print_bytes, settle_garbage, settle_outputs

    engine_files = [Path(name)] if name.endswith(".py") else []
    name = engines.find(name)
    paging = engines.paging_of(name, paging)
    own = engines.own_options(name, given)
    kinds = given["trace"] or ()
    if name == engines.NATIVE and (given["timeline"] or set(kinds) & set(watching.EXIT_KINDS)):
        raise click.UsageError("a bare machine has no exits; use another --engine", context)
    if given["debugger"]:
        from vmm.cli.debug import refuse_with

        refuse_with(given, "as_json", "json_file", "trace", "timeline")
    guest = guests.chosen(context, given, engine=name)
    settle_outputs(context, given, (*guest.inputs, *engine_files), "json_file", "timeline")
    settings = {key: given[key] for key in SETTINGS}
    disks = guest.disks()
    machine = engines.machine_for(name, paging, settings, own)
    guest.load(machine, disks)
    settle_garbage()
    if given["debugger"]:
        from vmm.cli.debug import debug

        if guest.writes and machine.keeps_snapshots:
            raise click.UsageError("gdb can go back, which cannot undo what a guest writes to an "
                                   "image; use --disk FILE,ro or FILE,cow with "
                                   "--gdb", context)  # fmt: skip
        return debug(machine, given["debugger"], guest.script, print_bytes)
    fences = None
    if check == "fence":
        from vmm.cli.fencing import Fencing

        fences = Fencing(guest, machine)
    outcome = Run(
        guest, machine, given, settings, SCHEMA, f"{guest.name} under {name}",
        stepper=lambda: watching.stepper(machine, given, guest.name, fences),
        more=lambda: {"engine": name, "paging": paging, **figures(machine),
                      **({"fences": fences.document()} if fences else {})},
        hint=lambda _outcome: leak_hint(name, guest.name, given["profile"]),
    ).conduct()  # fmt: skip
    if outcome is None:
        return Status.CLOSED
    commit()
    return outcome.status


def leak_hint(name: str, guest: str, profile: str) -> str | None:
    """What people can do if the machine's holes may be the reason that the guest went wrong."""
    from vmm.cli import engine

    if not engine.leaks(name, profile):
        return None
    return (
        f"on the profile {profile!r} sensitive instructions do not all trap, as {name!r} "
        f"needs; `toyvmm explain-leak {guest} --profile {profile}` shows the first"
    )


def figures(machine: Any) -> dict[str, Any]:
    """What the JSON has of a guest beyond the keys of `run`; a bare machine has no exits."""
    stats = machine.vm.stats if machine.virtual else None
    shadow = ("fills", "eager", "evicted", "unshadowed", "injected")
    return {
        "exits": exits(machine),
        "shadow": {key: int(stats[key]) for key in shadow} if stats is not None else None,
        "counters": machine.counters() if stats is not None else None,
        "guest_digest": machine.guest_digest(),
        "trail": int(machine.hart.trail),
    }


def exits(machine: Any) -> dict[str, dict[str, int]]:
    """Exits by kind, those that the guest caused; none for a bare machine."""
    return {kind: row for kind, row in machine.exits().items() if kind != "other"}
