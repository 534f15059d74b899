"""Answers for how much one source may use: statements, text, sections, time.

Must not know what it is used for.
"""

from __future__ import annotations

import time

from asm.errors import Fault

MAX_DEPTH = 100  # open macros and files, as in GNU `as`
MAX_STATEMENTS = 1_000_000  # in one pass, after macros are expanded
MAX_EXPANSIONS = 100_000  # uses of macros in one pass
MAX_TEXT = 8 << 20  # characters of all expansions in one pass
MAX_REPEATED = 1_000_000  # statements that one .rept expands to
MAX_SECTIONS = 10_000
MAX_FIXUPS = 1_000_000  # values that wait for addresses
TIMEOUT = 60.0  # seconds


class Budget:
    """What is left for one program; a pass begins with the full amount of everything but time."""

    def __init__(self, seconds: float | None):
        self.seconds = seconds
        self._end = time.monotonic() + seconds if seconds else None
        self.begin()

    def begin(self) -> None:
        """Begin a new pass, which reads everything again."""
        self.statements = self.expansions = self.text = 0

    def read(self, statements: int) -> None:
        """Count statements that will be read.  Raises a fatal Fault."""
        self.statements += statements
        if self.statements > MAX_STATEMENTS:
            raise _too_long(f"{MAX_STATEMENTS} statements, macros expanded")
        self.look()

    def expand(self, characters: int, macros: int = 0) -> None:
        """Count the text of an expansion.  Raises a fatal Fault."""
        self.text += characters
        self.expansions += macros
        if self.expansions > MAX_EXPANSIONS:
            raise _too_long(f"{MAX_EXPANSIONS} uses of macros")
        if self.text > MAX_TEXT:
            raise _too_long(f"{MAX_TEXT} characters that macros and `.eqv` expand to")

    def look(self) -> None:
        """Raise a fatal Fault when the time is used up."""
        if self._end is not None and time.monotonic() > self._end:
            raise Fault(
                f"assembling takes longer than {self.seconds:g} s",
                why="macros, repetitions or branches of the source grow",
                fix="`toyvmm asm --timeout SECONDS` allows more",
                fatal=True,
            )


def _too_long(limit: str) -> Fault:
    return Fault(
        "this program grows too long",
        why=f"the limit is {limit}",
        fix="a macro that uses itself twice doubles its text at every level",
        fatal=True,
    )
