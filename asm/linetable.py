"""Answers for `.file` and `.loc`: the lines of the source that a compiler read.

The rows are kept as the compiler gives them; `dwarf.py` writes them.  Must not know
addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from asm.errors import Fault
from asm.lexer import NAME, split, string
from asm.quote import legible

if TYPE_CHECKING:
    from asm.section import Section
    from asm.unit import Unit

MAX_FILES = 10_000


class Row(NamedTuple):
    """The code from an offset of a section on comes from this line of a file."""

    section: Section
    offset: int
    file: int
    line: int
    column: int
    statement: bool


@dataclass(slots=True)
class LineTable:
    """The files by number, as (directory, name), and the rows in the order in which they came."""

    files: dict[int, tuple[str, str]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    views: int = 0  # rows at the same place as the last row, not counting that one
    statement: bool = True  # keeps its value until a `.loc` changes it

    def add(self, row: Row) -> None:
        last = self.rows[-1] if self.rows else None
        same = last is not None and last.section is row.section and last.offset == row.offset
        self.views = self.views + 1 if same else 0
        self.rows.append(row)


def _file(unit: Unit, text: str) -> None:
    """`.file "name"` is ignored.  `.file number ["directory"] "name" [md5 digest]` names a file."""
    if text[:1] == '"' or not text:
        return
    number, _, rest = text.partition(" ")
    value = unit.value(number, "the file's number")
    if not 0 <= value < MAX_FILES:
        why = f"the limit is {MAX_FILES}"
        raise Fault(f"{value} is not the number of a file", why=why, at=number)
    names = _quoted(rest.strip())
    if not 1 <= len(names) <= 2:
        raise Fault('expected number ["directory"] "name"', at=text)
    unit.loc.files[value] = (names[0] if len(names) > 1 else "", names[-1])


def _quoted(text: str) -> list[str]:
    """The strings at the beginning of a text."""
    names = []
    while text[:1] == '"':
        end = 1
        while end < len(text) and text[end] != '"':
            end += 1 + (text[end] == "\\")
        names.append(legible(string(text[: end + 1]).decode("utf-8", "surrogateescape")))
        text = text[end + 1 :].lstrip()
    return names


def _loc(unit: Unit, text: str) -> None:
    """`.loc file line [column] [is_stmt value] [view name] ...`."""
    words = text.split()
    numbers: list[int] = []
    while words and len(numbers) < 3 and not NAME.match(words[0]):
        numbers.append(unit.value(words.pop(0), "`.loc`"))
    if len(numbers) < 2:
        raise Fault("expected file line [column]", at=text)
    file, line, column = (*numbers, 0)[:3]
    if file not in unit.loc.files:
        raise Fault(f"there is no `.file {file}`", at=text)
    if not 0 <= line < 1 << 31 or not 0 <= column < 1 << 31:
        raise Fault("a line or column of no source", at=text)
    view = ""
    while words:
        word = words.pop(0)
        if word in ("basic_block", "prologue_end", "epilogue_begin"):
            continue
        if word not in ("is_stmt", "isa", "discriminator", "view") or not words:
            raise Fault(f"unknown option `{word}` of .loc", at=word)
        value = words.pop(0)
        if word == "is_stmt":
            unit.loc.statement = unit.value(value, "is_stmt") != 0
        elif word == "view":
            view = value
    section = unit.section
    unit.loc.add(Row(section, section.size, file, line, column, unit.loc.statement))
    if NAME.match(view):
        unit.assign(view, str(unit.loc.views))
    elif view.startswith("-"):
        unit.loc.views = 0


def _view_labels(unit: Unit, text: str) -> None:
    """`.loc_mark_labels`: asks for rows for labels; we make none."""
    if len(split(text)) != 1:
        raise Fault("expected 0 or 1", at=text)


DIRECTIVES = {".file": _file, ".loc": _loc, ".loc_mark_labels": _view_labels}
