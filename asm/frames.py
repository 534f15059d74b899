"""Answers for where statements come from: files, macro bodies, repeated bodies.

Frames form a chain from the current statement out to the main file; errors show it as a
backtrace.  Must not know what a statement means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from asm.errors import Place
from asm.source import Source


class Spot(NamedTuple):
    """A statement: its frame, and the index of its line in the frame."""

    frame: Frame
    index: int

    def where(self) -> str:
        source = self.frame.source
        return f"{source.path}:{source.numbers[self.index]}"

    def text(self) -> str:
        """The line; in a macro, with the arguments put in."""
        source = self.frame.source
        if self.frame.expands:
            return source.lines[self.index]
        return source.place(source.numbers[self.index]).text

    def place(self) -> Place:
        """The place for an error: the line, and the macros and files that led to it."""
        backtrace = []
        frame = self.frame
        while (spot := frame.parent) is not None:
            backtrace.append(f"{frame.why} at {spot.where()}: {spot.text().strip()[:80]}")
            frame = spot.frame
        if len(backtrace) > 8:
            backtrace[4:-4] = [f"... {len(backtrace) - 8} more"]
        source = self.frame.source
        return Place(source.path, source.numbers[self.index], self.text(), tuple(backtrace))

    def site(self) -> tuple[str, int]:
        """File and line for the line table: the code of a macro belongs to the line that uses
        it.
        """
        spot = self
        while spot.frame.expands and spot.frame.parent is not None:
            spot = spot.frame.parent
        return spot.frame.source.path, spot.frame.source.numbers[spot.index]


@dataclass(slots=True, eq=False)
class Condition:
    """An open `.if`: where it is, whether a branch was taken, whether `.else` was seen."""

    spot: Spot
    taken: bool
    ended: bool = False


@dataclass(slots=True, eq=False)
class Frame:
    """One open source of statements.

    `why` is its line in a backtrace (`in macro `foo`, used`).  `expands`: the text is a
    macro's, with arguments put in.  `leaves`: `.exitm` ends this frame.
    """

    source: Source
    parent: Spot | None = None
    why: str = ""
    expands: bool = False
    leaves: bool = False
    index: int = -1
    lines: Iterator[str] = field(init=False)
    conditions: list[Condition] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.lines = iter(self.source.lines)
        if self.parent is not None:
            self.depth = self.parent.frame.depth + 1

    def take(self) -> str | None:
        """The next line, for code that collects a body; None at the end."""
        self.index += 1
        return next(self.lines, None)
