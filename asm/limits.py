"""Answers for how much one source may ask for: statements, text, sections, time.

Must not know what is asked for.
"""

from __future__ import annotations

import time

from asm.errors import Fault

MAX_DEPTH = 100  # open macros and files, as GNU `as`
MAX_STATEMENTS = 1_000_000  # of one pass, macros expanded
MAX_EXPANSIONS = 100_000  # uses of macros in one pass
MAX_TEXT = 8 << 20  # characters that all expansions of one pass make
MAX_REPEATED = 1_000_000  # statements that one .rept makes
MAX_SECTIONS = 10_000
MAX_FIXUPS = 1_000_000  # values that wait for addresses
TIMEOUT = 60.0  # seconds


class Budget:
    """What is left for one program; a pass begins with everything but the time."""

    def __init__(self, seconds: float | None):
        self.seconds = seconds
        self._end = time.monotonic() + seconds if seconds else None
        self.begin()

    def begin(self) -> None:
        """A new pass reads everything again."""
        self.statements = self.expansions = self.text = 0

    def read(self, statements: int) -> None:
        """Count statements that come now.  Raises a fatal Fault."""
        self.statements += statements
        if self.statements > MAX_STATEMENTS:
            raise _too_long(f"{MAX_STATEMENTS} statements, macros expanded")
        self.look()

    def expand(self, characters: int, macros: int = 0) -> None:
        """Count text that an expansion makes.  Raises a fatal Fault."""
        self.text += characters
        self.expansions += macros
        if self.expansions > MAX_EXPANSIONS:
            raise _too_long(f"{MAX_EXPANSIONS} uses of macros")
        if self.text > MAX_TEXT:
            raise _too_long(f"{MAX_TEXT} characters that macros expand to")

    def look(self) -> None:
        """Raise a fatal Fault when the time is over."""
        if self._end is not None and time.monotonic() > self._end:
            raise Fault(
                f"assembling takes longer than {self.seconds:g} s",
                why="the source makes macros, repetitions or branches grow",
                fix="`toyvmm asm --timeout SECONDS` allows more",
                fatal=True,
            )


def _too_long(limit: str) -> Fault:
    return Fault(
        "this program grows too long",
        why=f"the limit is {limit}",
        fix="a macro that uses itself twice doubles with every level",
        fatal=True,
    )
