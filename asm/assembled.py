"""Answers for an assembled program: everything at its address, and where it is from.

Must not know how it was assembled, nor the files it is written to.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from asm.errors import Problem
from asm.frames import Spot
from asm.linetable import LineTable
from asm.section import Section
from asm.source import Source


@dataclass(frozen=True, slots=True)
class Line:
    """`size` bytes at an address come from a line of a file."""

    address: int
    size: int
    path: str
    number: int


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol of the output; `section` is empty for a constant."""

    name: str
    value: int
    size: int
    type: str
    binding: str
    section: str
    hidden: bool
    visibility: int = 0  # with the numbers of ELF


@dataclass(eq=False)
class Assembled:
    """An assembled program: everything at its final address."""

    source: Source
    sections: list[Section]  # the loaded ones in the order of memory, then the others
    symbols: dict[str, Name]
    warnings: list[Problem]
    entry: int
    files: dict[str, list[str]]  # every source file that was read: its lines as written
    loc: LineTable  # what a compiler said of its own source
    missing: set[str]  # places where an included file was looked for in vain

    @cached_property
    def lines(self) -> list[Line]:
        """Which source line each piece of memory comes from, by rising address."""
        found = []
        for section in self.sections:
            if not section.loaded:
                continue
            ends = [offset for offset, _, _ in section.lines[1:]] + [section.size]
            # A section without bytes has no lines, but it has an end.
            start = section.address
            for (offset, frame, index), end in zip(section.lines, ends, strict=False):
                if end > offset:
                    if frame.expands:
                        path, number = Spot(frame, index).site()
                    else:
                        path, number = frame.source.path, frame.source.numbers[index]
                    found.append(Line(start + offset, end - offset, path, number))
        return found

    @cached_property
    def _loaded(self) -> list[Section]:
        return [section for section in self.sections if section.loaded and section.size]

    def section_at(self, address: int) -> Section:
        """The section that holds a byte in memory."""
        at = bisect_right(self._loaded, address, key=lambda section: section.address)
        return self._loaded[at - 1]

    def line_at(self, address: int) -> Line | None:
        """The line that the byte at an address comes from."""
        at = bisect_right(self.lines, address, key=lambda line: line.address) - 1
        line = self.lines[at] if at >= 0 else None
        return line if line and address < line.address + line.size else None
