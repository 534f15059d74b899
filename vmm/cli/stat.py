"""`toyvmm stat`: what a guest's exits were for, and what they cost."""

from __future__ import annotations

import json
from typing import Any

import click

from vmm.cli import options
from vmm.cli.boot import INSNS, SECONDS, engine, exits, leak_hint
from vmm.cli.run import SETTINGS
from vmm.cli.status import Status

SCHEMA = "toyvmm.stat/1"


@click.command()
@options.guest
@engine
@options.machine
@options.limits(INSNS, SECONDS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.pass_context
def stat(context: click.Context, name: str, paging: str | None, as_json: bool, **given: Any) -> int:
    """Count a guest's exits, by what they were for.

    The guest runs as under `toyvmm boot`, but its console is not shown. The table has the columns
    of `perf kvm stat`. Times are cycles that the monitor spent, and the largest come first.
    """
    from vmm.cli import console, report
    from vmm.cli import engine as engines
    from vmm.cli import guest as guests
    from vmm.cli.conduct import settle_garbage
    from vmm.cli.files import need_stdout, tell
    from vmm.cli.session import Limits, Session

    need_stdout()
    name = engines.find(name)
    if name == engines.NATIVE:
        raise click.UsageError("a bare machine has no exits; use another --engine", context)
    paging = engines.paging_of(name, paging)
    own = engines.own_options(name, given)
    guest = guests.chosen(context, given, engine=name)
    settings = {key: given[key] for key in SETTINGS}
    disks = guest.disks()
    machine = engines.machine_for(name, paging, settings, own)
    guest.load(machine, disks)
    settle_garbage()
    limits = Limits(given["max_insns"], given["timeout"], given["max_cycles"])
    with console.opened(guest.script, keyboard=False) as keys:
        outcome = Session(machine, keys, lambda _data: None, limits).run()
    rows = table(exits(machine))
    if as_json:
        head = {"schema": SCHEMA, "guest": guest.name, "exit": outcome.exit,
                "status": int(outcome.status), "engine": name, "paging": paging,
                **settings, "instret": machine.instret, "cycles": machine.cycles}  # fmt: skip
        click.echo(json.dumps({**head, "exits": rows, "counters": machine.counters()}, indent=2))
    else:
        click.echo("\n".join(lines(rows, machine)))
    tell(report.summary(f"{guest.name} under {name}", machine, outcome))
    if outcome.status is not Status.PASSED and (
        hint := leak_hint(name, guest.name, given["profile"])
    ):
        tell(f"toyvmm: hint: {hint}")
    return outcome.status


def table(taken: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """A row for each kind of exit; the kind that cost most comes first."""
    samples = sum(row["count"] for row in taken.values())
    spent = sum(row["cycles"] for row in taken.values())
    rows = [
        {
            "exit": kind,
            "samples": row["count"],
            "samples_percent": round(100 * row["count"] / samples, 2),
            "time_percent": round(100 * row["cycles"] / max(spent, 1), 2),
            "min": row["min"],
            "max": row["max"],
            "mean": round(row["cycles"] / row["count"], 2),
            "cycles": row["cycles"],
        }
        for kind, row in taken.items()
    ]
    return sorted(rows, key=lambda row: (-row["cycles"], row["exit"]))


def lines(rows: list[dict[str, Any]], machine: Any) -> list[str]:
    """The table for people, with the columns of `perf kvm stat`."""
    names = f"{'EXIT':<14}{'Samples':>10}{'Samples%':>10}{'Time%':>8}"
    text = [f"{names}{'Min':>8}{'Max':>9}{'Mean':>12}"]
    text += [
        f"{row['exit']:<14}{row['samples']:>10,}{row['samples_percent']:>9.2f}%"
        f"{row['time_percent']:>7.2f}%{row['min']:>8,}{row['max']:>9,}{row['mean']:>12,.2f}"
        for row in rows
    ]
    samples, spent = (sum(row[key] for row in rows) for key in ("samples", "cycles"))
    share = 100 * spent / max(machine.cycles, 1)
    text += ["", f"{samples:,} exits, {spent:,} cycles: {share:.1f} % of the guest's time"]
    if counters := machine.counters():
        text += ["", *(f"{name:<20}{value:>12,}" for name, value in counters.items())]
    return text
