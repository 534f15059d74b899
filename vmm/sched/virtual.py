"""Answers for a domain's virtual times under `bvt.py`: A, and E, which follows from it.

Must not know who runs when.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Virtual:
    """A domain's virtual times (`m`, `warp`, `actual`, `effective`, `base`), and its cycles."""

    pins: frozenset[int]
    m: int = 0
    warp: int = 0        # W
    limit: int = 0       # L: for how long it may run warped after a wake; 0: no limit
    pause: int = 0       # U: for how long it cannot warp, once it has used that up
    actual: int = 0      # A
    effective: int = 0   # E
    base: int = 0        # A when it began to pay the present m
    used: int = 0        # what it has run since, in this turn
    warped: bool = False
    warm: int = 0        # what it has run warped since it woke
    cold_until: int = 0  # it cannot warp before
    hart: int = -1       # where it runs
    ends: int = 0        # when its turn ends

    def set(self, actual: int) -> None:
        """A is this."""
        self.actual = actual
        self.effective = actual - self.warp if self.warped else actual

    def restart(self) -> None:
        """What it runs from now on is counted anew."""
        self.base, self.used = self.actual, 0
