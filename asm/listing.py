"""Answers for the listing file: every source line with the bytes that it became.

The bytes of a macro are shown at the line that used it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asm.assembled import Assembled

_WIDTH = 8  # bytes in a row
_MAX_ROWS = 4  # rows shown for one line: of further rows only the number is given


def listing(program: Assembled) -> str:
    """The text of the listing."""
    pieces: dict[str, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for line in program.lines:
        pieces[line.path][line.number].append((line.address, line.size))
    out = []
    for path, originals in program.files.items():
        if path not in pieces and path != program.source.path:
            continue  # a file that has only constants and macros
        out.append(f"# {path}")
        for number, text in enumerate(originals, 1):
            out += _rows(program, number, text, pieces[path].get(number, []))
        out.append("")
    return "\n".join([*out, *_sections(program), "", *_symbols(program)]) + "\n"


def _rows(program: Assembled, number: int, text: str, pieces: list[tuple[int, int]]) -> list[str]:
    rows, hidden = [], 0
    for address, size in _joined(pieces):
        section = program.section_at(address)
        if section.type == "nobits":
            rows.append((address, f"({size} bytes)"))
            continue
        step = 4 if size == 4 else _WIDTH
        words = address % 4 == 0 and size % 4 == 0
        start = address - section.address
        shown = min(size, step * (_MAX_ROWS + 2)) if len(rows) < _MAX_ROWS + 2 else 0
        for at in range(0, shown, step):
            data = bytes(section.data[start + at : start + min(at + step, size)])
            rows.append((address + at, _hex(data, words)))
        hidden += -(-(size - shown) // step)
    hidden += len(rows) - _MAX_ROWS
    if hidden > 1:
        rows[_MAX_ROWS:] = [(rows[_MAX_ROWS][0], f"... {hidden} more")]
    first, *rest = [f"{address:08x} {shown:<17}" for address, shown in rows] or [" " * 26]
    return [f"{number:5} {first} {text}".rstrip(), *(f"      {row}".rstrip() for row in rest)]


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pieces of memory that touch each other, joined."""
    joined: list[tuple[int, int]] = []
    for address, size in pieces:
        if joined and joined[-1][0] + joined[-1][1] == address:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((address, size))
    return joined


def _hex(data: bytes, words: bool) -> str:
    """The bytes in the order of memory, or as words if they are whole words."""
    if not words:
        return data.hex()
    parts = (data[at : at + 4] for at in range(0, len(data), 4))
    return " ".join(f"{int.from_bytes(part, 'little'):08x}" for part in parts)


def _sections(program: Assembled) -> list[str]:
    rows = ["# Sections"]
    for section in program.sections:
        if section.size:
            rows.append(f"{section.address:08x} {section.size:8x} {section.flags:4} {section.name}")
    return rows


def _symbols(program: Assembled) -> list[str]:
    rows = ["# Symbols"]
    for name in sorted(program.symbols.values(), key=lambda name: (name.value, name.name)):
        where = name.section or "constant"
        rows.append(f"{name.value:08x} {name.binding:6} {where:12} {name.name}")
    return rows
