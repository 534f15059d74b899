"""Answers for where statements come from: files, macro bodies, repeated bodies.

Frames form a chain from the statement at hand out to the main file; errors tell
it as a backtrace.  Must not know what a statement means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from asm.errors import Place
from asm.source import Source


class Spot(NamedTuple):
    """A statement: the frame and the index of its line there."""

    frame: Frame
    index: int

    def where(self) -> str:
        source = self.frame.source
        return f"{source.path}:{source.numbers[self.index]}"

    def place(self) -> Place:
        """The place for an error: the line where it was written, and the trail."""
        source = self.frame.source
        place = source.place(source.numbers[self.index])
        trail = []
        frame = self.frame
        while frame.parent is not None:
            written = frame.parent.place().text.strip()
            trail.append(f"{frame.why} at {frame.parent.where()}: {written}")
            frame = frame.parent.frame
        if self.frame.expands:
            # The line as it reads once arguments are put in; a caret needs it.
            place = Place(place.path, place.line, source.lines[self.index])
        if len(trail) > 8:
            trail[4:-4] = [f"... {len(trail) - 8} more"]
        return Place(place.path, place.line, place.text, tuple(trail))

    def site(self) -> tuple[str, int]:
        """File and line for the line table: a macro's code is where it is used."""
        spot = self
        while spot.frame.expands and spot.frame.parent is not None:
            spot = spot.frame.parent
        return spot.frame.source.path, spot.frame.source.numbers[spot.index]


@dataclass(slots=True, eq=False)
class Condition:
    """An open `.if`: where, whether a branch was taken, whether `.else` was seen."""

    spot: Spot
    taken: bool
    ended: bool = False


@dataclass(slots=True, eq=False)
class Frame:
    """One open source of statements.

    `why` is its line of a backtrace (`in macro `foo`, used`); `expands` says that
    the text is a macro's, with arguments put in; `leaves` that `.exitm` ends it.
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
        """The next line, for those who collect a body; None at the end."""
        self.index += 1
        return next(self.lines, None)
