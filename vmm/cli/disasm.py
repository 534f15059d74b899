"""`toyvmm disasm`: show an ELF's code as assembly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmm.cli.files import Refusal, need_stdout

if TYPE_CHECKING:
    from toyisa.load.elf import Elf


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--no-aliases", is_flag=True, help="Real instructions only, no pseudo-instructions.")
def disasm(file: Path, no_aliases: bool) -> None:
    """Print the code of an ELF as assembly."""
    need_stdout()
    from toyisa.load import image
    from toyisa.load.elf import Malformed

    try:
        elf = image.executable(image.load(file), str(file))
        for line in _lines(elf, aliases=not no_aliases):
            click.echo(line)
    except image.ImageError as error:
        raise Refusal(str(error)) from None
    except Malformed as error:
        raise Refusal(f"{file}: truncated or damaged: {error}") from None


def _lines(elf: Elf, *, aliases: bool) -> Iterator[str]:
    """A heading for each symbol, a line for each word: address, bytes, text."""
    from asm.disasm import Symbols, disassemble

    names = sorted({(symbol.address, symbol.name) for symbol in elf.symbols()})
    symbols = Symbols(names)
    headings = defaultdict(list)
    for address, name in names:
        headings[address].append(name)
    for start, code in elf.code():
        for offset in range(0, len(code), 4):
            address, piece = start + offset, code[offset : offset + 4]
            for name in headings.get(address, ()):
                yield f"\n{address:08x} <{name}>:"
            if len(piece) < 4:
                yield f"{address:8x}:  {piece[::-1].hex():>8}  .byte {', '.join(map(hex, piece))}"
                continue
            word = int.from_bytes(piece, "little")
            text = disassemble(word, address, symbols, aliases=aliases)
            name, _, operands = text.partition(" ")
            yield f"{address:8x}:  {word:08x}  {name:<8} {operands}".rstrip()
