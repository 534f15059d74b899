"""`toyvmm bt`: look into the binary translator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmm.cli.completion import targets
from vmm.cli.files import Refusal, tell
from vmm.cli.params import Count

MEM = 16 << 20  # bytes of RAM of the machine in which the guest runs

if TYPE_CHECKING:
    from vmm.cli.target import Target


@click.group()
def bt() -> None:
    """Look into the binary translator."""


@bt.command()
@click.argument("guest", metavar="TARGET", shell_complete=targets)
@click.option("--at", "symbol", metavar="SYMBOL|ADDRESS",
              help="Only blocks that begin between this and the next symbol.")
@click.option("--max-insns", type=Count(), default="100e6", show_default=True,
              help="Run this many instructions first, or to the guest's end.")
@click.option("--input", "script", type=click.Path(path_type=Path), metavar="FILE",
              help="Console input. An example has its own.")
@click.option("-I", "include", type=click.Path(path_type=Path), multiple=True, metavar="DIR",
              help="Another directory in which .include looks, if TARGET is a source.")
def dump(guest: str, symbol: str | None, max_insns: int, script: Path | None,
         include: tuple[Path, ...]) -> int:
    """Run a guest under `bt`, then print its code beside the translation.

    TARGET is what `run` takes.  Each instruction of the guest is on a line of its own, and
    below it is the machine code that does its work.
    """
    from toyisa.core.ram import RAM_BASE
    from toyisa.load.image import parse
    from vmm.cli.files import read
    from vmm.cli.guest import find_target
    from vmm.cli.images import refuse_unfit

    found = find_target(guest, list(include))
    refuse_unfit(found, MEM)
    path = script or found.script
    typed = read(path) if path else None
    low, high = _range(parse(found.elf, found.name, RAM_BASE, MEM).symbols, symbol)
    from vmm.machine import VirtualMachine

    machine = VirtualMachine(MEM, engine="bt")
    machine.load(found.elf)
    if typed is not None:
        machine.feed(typed)
    machine.end_input()
    _run(machine, max_insns)
    empty = True
    for line in _lines(machine, found, low, high):
        empty = False
        click.echo(line)
    if empty:
        where = f" at {symbol}" if symbol else ""
        tell(f"toyvmm: nothing was translated{where} in {machine.instret:,} instructions")
        return 1
    return 0


def _run(machine: Any, most: int) -> None:
    from toyisa.machine import Exit

    while most > machine.instret and machine.run(most - machine.instret) is Exit.OUTPUT:
        machine.output()


def _range(symbols: tuple[tuple[int, str], ...], symbol: str | None) -> tuple[int, int]:
    """The guest addresses that `symbol` covers; all addresses if there is no symbol."""
    if symbol is None:
        return 0, 1 << 32
    places = sorted({address for address, _ in symbols})
    named = {name: address for address, name in symbols}
    if symbol in named:
        low = named[symbol]
        return low, next((address for address in places if address > low), 1 << 32)
    try:
        low = int(symbol, 0)
    except ValueError:
        import difflib

        near = difflib.get_close_matches(symbol, named, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise Refusal(f"--at {symbol}: no such symbol{hint}") from None
    return low, low + 4


def _lines(machine: Any, found: Target, low: int, high: int) -> Iterator[str]:
    from asm.disasm import disassemble
    from toyisa.look.inspect import read
    from vmm.engines.bt.dump import units

    for unit in units(machine):
        if not low <= unit.gpc < high:
            continue
        yield f"\n{machine.symbolize(unit.gpc)}: {unit.insns} instructions, {len(unit.words)} words"
        shown = set()
        for word in unit.words:
            inside = unit.gpc <= word.gpc < unit.gpc + 4 * unit.insns
            if inside and word.gpc not in shown:
                shown.add(word.gpc)
                data = read(machine, word.gpc, 4)
                text = disassemble(int.from_bytes(data, "little"), word.gpc) if data else "gone"
                source = found.source_line(word.gpc)
                yield f"  {word.gpc:08x}  {text:<28}" + (f"  {source}" if source else "")
            text = disassemble(word.word, word.address)
            yield f"      {word.address:08x}  {text:<32}{word.note}".rstrip()
