"""Answers for sizes that are known only at the end of a pass; the next pass assumes them.

These are branches whose target is far, and numbers of variable length.  Sizes only ever grow,
so the passes come to an end.  Must not know where sections will lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asm.errors import Fault
from asm.expr import Undefined, evaluate
from asm.fixups import Fixup, Kind, leb128
from asm.symbols import Address, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asm.limits import Budget


@dataclass(slots=True)
class Guesses:
    """Sizes by the number of the fixup in its pass: `far` branches, `lengths` of LEB128 numbers."""

    far: set[int] = field(default_factory=set)
    lengths: dict[int, int] = field(default_factory=dict)

    def learn(self, fixups: Iterable[Fixup], budget: Budget) -> bool:
        """Correct the guesses by the result of a pass; return whether any was wrong."""
        before = len(self.far), sum(self.lengths.values())
        for at, fixup in enumerate(fixups):
            if not at & 1023:
                budget.look()
            if fixup.kind is Kind.BRANCH and not _near(fixup):
                self.far.add(fixup.ordinal)
            elif fixup.kind in (Kind.ULEB128, Kind.SLEB128):
                self.lengths[fixup.ordinal] = max(fixup.size, _length(fixup))
        return before != (len(self.far), sum(self.lengths.values()))


def _near(fixup: Fixup) -> bool:
    """Whether a branch is short.  GNU `as` makes those to another section or a weak symbol long."""
    if isinstance(fixup.expr, Symbol) and fixup.expr.binding == "weak":
        return False
    try:
        target = evaluate(fixup.expr)
    except (Undefined, Fault):
        return True  # the error is reported when the fixup is applied
    if not isinstance(target, Address) or target.section is not fixup.section:
        return False
    return -4096 <= target.offset - fixup.offset < 4096


def _length(fixup: Fixup) -> int:
    try:
        value = evaluate(fixup.expr)
        if isinstance(value, Address):
            return 5  # enough for any address of 32 bits
        return len(leb128(value, fixup.kind is Kind.SLEB128))
    except (Undefined, Fault):
        return 1  # the error is reported when the fixup is applied
