"""Answers for the coverage map: which instruction trapped at which level, why, and to whom.

The map is an array of the caller's with a byte for each combination.  The hart holds its
address, usually 0; then it costs only a comparison where a trap is taken.  It is not a part
of the machine's state.  Must not know what a campaign is.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.decode import decode, first_op
from toyisa.tables import causes
from toyisa.tables.causes import CODES
from toyisa.tables.ops import MAX_OPS, ROW_OF_OP

LEVELS, CAUSES, TAKERS = 2, 2 * CODES, 2  # causes: exceptions by code, then interrupts
SIZE = MAX_OPS * LEVELS * CAUSES * TAKERS
BY_S, TO_ROOT = range(TAKERS)
NO_INSN = 0  # the op for a trap without an instruction: a fetch, an interrupt


@njit
def cover_trap(hart, insn, cause, taker):
    """Mark that `insn` (0: none) traps at the hart's level for `cause`.

    The cause is an exception's code, or CODES plus an interrupt's.
    """
    op = first_op(decode(insn, np.int64(0))) if insn else np.int64(NO_INSN)
    level = np.int64(hart.priv) & 1
    place = ((op * LEVELS + level) * CAUSES + (cause & CAUSES - 1)) * TAKERS + taker
    view(hart.covers, SIZE, np.uint8)[place] = 1


def new_map() -> np.ndarray:
    """A map in which nothing is marked."""
    return np.zeros(SIZE, np.uint8)


def attach(seen: np.ndarray, *harts: np.record) -> None:
    """Let the harts mark `seen`, a map that must exist as long as they run."""
    for hart in harts:
        hart.covers = seen.ctypes.data


def traps(seen: np.ndarray, taker: int) -> set[tuple[str, str, str]]:
    """Instruction (or `-`), level and cause of each trap that is marked, by their names."""
    marked = seen.reshape(MAX_OPS, LEVELS, CAUSES, TAKERS)[:, :, :, taker]
    found = set()
    for op, level, cause in zip(*(places.tolist() for places in marked.nonzero())):
        name = causes.name(cause if cause < CODES else causes.INTERRUPT | cause - CODES)
        found.add((ROW_OF_OP.get(op, "-"), "US"[level], name))
    return found
