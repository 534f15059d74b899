"""Answers for the lines of the source that a compiler read: which code comes from which line.

The rows are kept as the compiler gives them by `.loc` (`loc.py`); `dwarf.py` writes them.
Must not know addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asm.section import Section


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
