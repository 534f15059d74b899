"""`toyvmm explain-leak`: the first instruction that tells a guest it is not alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from vmm.cli import options
from vmm.cli.params import Count
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.cli.guest import Guest
    from vmm.watch.leak import Leak

SCHEMA = "toyvmm.explain-leak/1"
SETTINGS = {"cost": "modern", "clock": "icount", "svade": False}


@click.command("explain-leak")
@options.guest
@click.option("--engine", "name", default="trap", show_default=True, metavar="NAME|FILE.py",
              help="The engine to be compared with the bare machine.")
@click.option("--profile", type=click.Choice(options.PROFILES), default="leaky",
              show_default=True, help="What a sensitive instruction does when it lacks privilege.")
@options.mem
@click.option("--max-insns", type=Count(), default="100e6", show_default=True,
              help="Compare this many instructions; 0: to the guest's end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.pass_context
def explain_leak(context: click.Context, name: str, profile: str, mem: int, max_insns: int,
                 as_json: bool, **given: Any) -> int:
    """Find where a guest first goes wrong under an engine, and why.

    The guest runs bare and under the engine in lock step. After each instruction, registers,
    level, pc and all CSRs are compared. Time counts instructions. Console input comes from --input
    or --demo, not from stdin.

    The exit code is 0 if no difference was found, 1 if one was.
    """
    from vmm.cli import engine as engines
    from vmm.cli import guest as guests
    from vmm.cli.conduct import settle_garbage
    from vmm.cli.files import need_stdout

    need_stdout()
    if given["images"]:
        raise click.UsageError("two machines cannot share a disk; leave --disk out", context)
    name = engines.find(name)
    if name == engines.NATIVE:
        raise click.UsageError("engines are compared with the bare machine; choose another "
                               "--engine", context)
    if engines.build_of(name):
        raise click.UsageError(f"for {name!r} a guest is built anew: it is another program, whose "
                               "steps cannot be compared with the bare one's", context)  # fmt: skip
    guest = guests.chosen(context, given, mem=mem)
    paging = engines.paging_of(name, None)
    settings = {"mem": mem, "profile": profile, **SETTINGS}
    pair = [engines.machine_for(each, paging, settings) for each in (engines.NATIVE, name)]
    keys = _input(guest.script)
    for machine in pair:
        guest.load(machine, [])
        machine.feed(keys)
        machine.end_input()
    settle_garbage()
    from vmm.watch.leak import find_leak
    from vmm.watch.stepping import NEVER

    leak, why = find_leak(*pair, max_insns or NEVER)
    where = f"{guest.name} under {name} on {profile}"
    if as_json:
        head = {"schema": SCHEMA, "guest": guest.name, "engine": name, "profile": profile,
                "instret": pair[0].instret, "end": why}  # fmt: skip
        click.echo(json.dumps({**head, "leak": leak and _object(leak, pair[0], guest)}, indent=2))
    elif leak:
        click.echo("\n".join(_lines(leak, pair[0], guest, where)))
    else:
        end = "to its end" if why == "halted" else f"({why})"
        click.echo(f"{where}: no leak found in {pair[0].instret:,} instructions {end}")
    return Status.FAILED if leak else Status.PASSED


def _input(script: bytes | None) -> bytes:
    from vmm.cli.console import END_OF_INPUT

    return (script or b"") + END_OF_INPUT


def _lines(leak: Leak, machine: Any, guest: Guest, where: str) -> list[str]:
    source = guest.what.source_line(leak.pc)
    lines = [
        f"{where}: the first leak, after {leak.instret - 1:,} instructions",
        f"  at    {leak.pc:#010x} {machine.symbolize(leak.pc)}, level {leak.level.name}",
        f"  line  {source or 'not known: the guest was not assembled here'}",
        f"  insn  {leak.text}",
        f"  hole  {' and '.join(hole.value for hole in leak.holes)}: {leak.why}",
        "",
        f"  {'':<10}{'bare machine':<14}guest",
    ]
    for each in leak.differences:
        row = f"  {each.name:<10}{each.bare:#010x}    {each.guest:#010x}  {each.bits}"
        lines.append(row.rstrip())
    return lines


def _object(leak: Leak, machine: Any, guest: Guest) -> dict[str, Any]:
    return {
        "after": leak.instret - 1,
        "pc": leak.pc,
        "symbol": machine.symbolize(leak.pc),
        "level": leak.level.name,
        "line": guest.what.source_line(leak.pc),
        "insn": leak.text,
        "holes": [hole.value for hole in leak.holes],
        "why": leak.why,
        "registers": {
            each.name: {"bare": each.bare, "guest": each.guest} for each in leak.differences
        },
    }
