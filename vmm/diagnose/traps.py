"""Answers for the latest traps of a stopped machine, and which of them it never left.

The hart records them (`state.TAKEN`).  Must not know what a trap means.
"""

from dataclasses import dataclass

import numpy as np

from toyisa.core.state import RECENT
from toyisa.tables import causes
from toyisa.tables.causes import INTERRUPT, Exc
from toyisa.tables.levels import Level

CALLS = {Exc.ECALL_U, Exc.ECALL_S}
PAGE_FAULTS = {Exc.FETCH_PAGE, Exc.LOAD_PAGE, Exc.STORE_PAGE}
FETCH_FAULTS = {Exc.INSN_ACCESS, Exc.FETCH_PAGE}


PLURAL = {
    Exc.INSN_MISALIGNED: "misaligned jumps",
    Exc.LOAD_MISALIGNED: "misaligned loads",
    Exc.STORE_MISALIGNED: "misaligned stores",
    Exc.ECALL_U: "ecalls from U",
    Exc.ECALL_S: "ecalls from S",
}


@dataclass(frozen=True)
class Taken:
    """`times` traps in a row with one cause at one pc; `returned` of them ended by `sret`."""

    cause: int
    pc: int
    level: Level
    first_tval: int
    tval: int
    times: int
    since: int
    until: int
    returned: int

    @property
    def interrupt(self) -> bool:
        return bool(self.cause & INTERRUPT)

    @property
    def name(self) -> str:
        return causes.name(self.cause)

    @property
    def meaning(self) -> str:
        return causes.MEANING.get(self.cause, self.name)


def often(trap: Taken) -> str:
    """`12,345 store page faults`."""
    plural = PLURAL.get(trap.cause, f"{trap.meaning}s")
    return f"{trap.times:,} {trap.meaning if trap.times == 1 else plural}"


def taken(hart: np.record) -> list[Taken]:
    """The latest traps that S took, the oldest first."""
    ring, last = hart.taken, int(hart.taken.at)
    places = [(last + 1 + n) % RECENT for n in range(RECENT)]
    return [
        Taken(
            int(ring.cause[n]), int(ring.pc[n]), Level(int(ring.priv[n]) & 1),
            int(ring.first_tval[n]), int(ring.tval[n]), int(ring.times[n]),
            int(ring.since[n]), int(ring.until[n]), int(ring.returned[n]),
        )
        for n in places if ring.times[n]
    ]  # fmt: skip


def unreturned(traps: list[Taken]) -> list[Taken]:
    """The traps at the end from which the guest never returned: it is still in their handler.

    If the kernel handled a trap, neither that trap nor an earlier one is among them.
    """
    chain: list[Taken] = []
    for trap in reversed(traps):
        if trap.returned:
            break
        chain.append(trap)
    return chain[::-1]


def first_fault(chain: list[Taken]) -> Taken | None:
    """The first exception of the chain; calls do not count if something worse followed."""
    faults = [trap for trap in chain if not trap.interrupt]
    worse = [trap for trap in faults if trap.cause not in CALLS]
    if worse and faults[0].cause in CALLS and worse[0].since == faults[0].until:
        return faults[0]  # its handler did not retire one instruction
    return (worse or faults or [None])[0]
