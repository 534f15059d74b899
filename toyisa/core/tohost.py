"""Answers for when a guest has told its host something by HTIF's `tohost`.

Must not know what it asks for (`toyisa/devices/htif.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit

LONE = 2_500  # virtual time until root decides whether one half of `tohost` counts as both
LOW, HIGH = 1, 2  # halves of `tohost`, in `console.halves`
ZERO = 4  # the low half that was stored is 0


@njit
def stored_tohost(console, at, size, low, now):
    """The guest stored `size` bytes at byte `at` of HTIF's `tohost`, whose low word is now
    `low`.

    "tohost" is a doubleword, which RV32 stores in halves: a command is complete when both
    have been stored, in either order.  Some programs store only the low half.  Their command
    is complete when they store it again, or after a while.  Root looks at it at
    `console.obey_at` (`htif.py`).
    """
    console.obey_at = now + LONE
    console.lone_from = 0
    if (at & 3) + size < 4:  # a part of a half: others follow, or this is all
        return
    halves = np.int64(console.halves)
    again = at < 4 and halves & LOW != 0 and halves & ZERO == 0 and low != 0
    if at < 4:
        halves = halves & HIGH | LOW | (0 if low else ZERO)
    if at >= 4 or again:
        halves |= HIGH
    console.halves = halves
    if halves & (LOW | HIGH) == LOW | HIGH:
        console.obey_at = now
