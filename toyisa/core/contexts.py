"""Answers for contexts: who accesses, by small numbers that stand in fast tags.

A context is everything besides the address on which a hart's rights and translations depend.
Each new context gets a number, from a table in the hart's record:

    key  53    52         33 32         13 12  11  10   9     8       0
        +-----+-------------+-------------+---+---+---+-----+---------+
        |bound| s_base page | s_limit page|MXR|SUM| S |paged|  asid   |
        +-----+-------------+-------------+---+---+---+-----+---------+

So two contexts never have the same number.  When all numbers are taken, `number_of` answers
-1, and its caller frees all of them and drops all fast tags.  Must not know tags (`tlb.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.state import CONTEXTS

KEY_PAGED, KEY_S, KEY_SUM, KEY_MXR = 1 << 9, 1 << 10, 1 << 11, 1 << 12
BOUND = 1 << 53   # S is deprivileged, and reaches what lies between two limits by x0 only
_TAKEN = 1 << 62  # so that no key in the table is 0, which is a free place
_MASK = CONTEXTS - 1
MOST = CONTEXTS * 3 // 4  # contexts at a time: the search for one stays short


@njit
def bounds(s_base, s_limit):
    """The part of a key that says where deprivileged S ends; both limits begin pages."""
    return BOUND | s_base >> 12 << 33 | s_limit >> 12 << 13


@njit
def number_of(contexts, key):
    """The number of the context `key`, given now if it is new; -1 if none is left."""
    mixed = (key ^ key >> 13 ^ key >> 33) & 0xFFFF
    at = mixed * 0x9E37 >> 12 & _MASK
    held = key | _TAKEN
    while contexts.key[at] != held:
        if contexts.key[at] == 0:
            if contexts.count >= MOST:
                return np.int64(-1)
            contexts.count += 1
            contexts.key[at] = held
            break
        at = at + 1 & _MASK
    return np.int64(at)


@njit
def forget_contexts(contexts):
    """All numbers are free; the caller drops all fast tags."""
    contexts.key[:] = 0
    contexts.count = 0
    contexts.overflows += 1
