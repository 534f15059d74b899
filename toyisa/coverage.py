"""Answers for the coverage map: which instruction trapped at which level, why, and to whom.

The map is an array of the caller's, a byte for each combination, and the hart holds its
address: 0, the rule, costs a compare where a trap is taken and nothing anywhere else.  It
is no part of the machine's state.  Must not know what a campaign is.
"""

import numpy as np

from toyisa import causes
from toyisa.decode import decode, first_op
from toyisa.njit import njit, view
from toyisa.ops import MAX_OPS, ROW_OF_OP

LEVELS, CAUSES, TAKERS = 2, 32, 2  # causes: 16 exceptions, then 16 interrupts
SIZE = MAX_OPS * LEVELS * CAUSES * TAKERS
BY_S, TO_ROOT = range(TAKERS)
NO_INSN = 0  # the op of what traps without an instruction: a fetch, an interrupt


@njit
def cover_trap(hart, insn, cause, taker):
    """Mark that `insn` (0: none) at the hart's level traps for `cause`, 16 + n an interrupt."""
    op = first_op(decode(insn, np.int64(0))) if insn else np.int64(NO_INSN)
    place = ((op * LEVELS + (np.int64(hart.priv) & 1)) * CAUSES + (cause & 31)) * TAKERS + taker
    view(hart.covers, SIZE, np.uint8)[place] = 1


def new_map() -> np.ndarray:
    """A map that nothing is marked in."""
    return np.zeros(SIZE, np.uint8)


def attach(seen: np.ndarray, *harts: np.record) -> None:
    """Have the harts mark `seen`, a map which must outlive their runs."""
    for hart in harts:
        hart.covers = seen.ctypes.data


def traps(seen: np.ndarray, taker: int) -> set[tuple[str, str, str]]:
    """Instruction (or `-`), level and cause of each trap that is marked, by their names."""
    marked = seen.reshape(MAX_OPS, LEVELS, CAUSES, TAKERS)[:, :, :, taker]
    found = set()
    for op, level, cause in zip(*(places.tolist() for places in marked.nonzero())):
        name = causes.name(cause if cause < 16 else causes.INTERRUPT | cause - 16)
        found.add((ROW_OF_OP.get(op, "-"), "US"[level], name))
    return found
