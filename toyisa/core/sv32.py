"""Answers for Sv32: what page-table entries say of an address, and what refuses an access.

The one text of the rules, for everybody who walks tables: the machine's MMU (`mmu.py`), the
monitor in a guest's tables, and people who look at either.  They differ in how an entry is
read, in what that costs, and in what they do about A and D; they decide that themselves.  An
entry may be read through other tables (a second stage): if those refuse, the walk says so.
Must not know where tables lie.  Source: RISC-V privileged manual, 12.3 (Sv32).
"""

from collections.abc import Callable
from enum import IntEnum

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.tables.bits import (
    BITS,
    FLAGS,
    PAGE_SHIFT,
    PTE_PPN_SHIFT,
    SSTATUS_MXR,
    SSTATUS_SUM,
    VPN,
    VPN_WIDTH,
)

V, R, W, X, U, G, A, D = (BITS[f"PTE_{name}"] for name in "VRWXUGAD")
SUPER = FLAGS + 1  # in a leaf as of a 4 KiB page, where the RSW bits were: part of a superpage
SUM, MXR = SSTATUS_SUM, SSTATUS_MXR

# What an access needs.  LOOK needs nothing: it asks where an address leads, whoever may use it.
LOAD, STORE, FETCH, LOOK = range(4)

# Who accesses, as one word: S or else U, Svade, and SUM and MXR as in sstatus.
BY_S, SVADE = 1, 2


class Why(IntEnum):
    """What refuses an access; 0 stands for nothing."""

    INVALID = 1
    RESERVED = 2
    RESERVED_TABLE = 3
    NO_LEAF = 4
    MISALIGNED = 5
    NOT_READABLE = 6
    NOT_WRITABLE = 7
    NOT_EXECUTABLE = 8
    NOT_USER = 9
    USER_CODE = 10
    NO_SUM = 11
    NOT_ACCESSED = 12
    NOT_DIRTY = 13
    TABLE_OUTSIDE = 14  # an access fault; all before are page faults
    OUTSIDE = 15        # the same: no walk's answer, but of whoever looks behind the leaf


def _entry(level, pte):
    """Why an entry at that level is refused whoever accesses, or 0."""
    # "If pte.v = 0, or if pte.r = 0 and pte.w = 1, ... page-fault."
    if not pte & V:
        return np.int64(Why.INVALID)
    if pte & (R | W) == W:
        return np.int64(Why.RESERVED)
    if pte & (R | X) == 0:
        if level == 0:
            return np.int64(Why.NO_LEAF)
        # "For non-leaf PTEs, the D, A, and U bits are reserved": must be zero.
        if pte & (D | A | U):
            return np.int64(Why.RESERVED_TABLE)
    return np.int64(0)


def _permission(pte, access, who):
    """Why a leaf's permissions refuse the access, or 0."""
    if access == LOOK:
        return np.int64(0)
    if not who & BY_S:
        if not pte & U:
            return np.int64(Why.NOT_USER)
    elif pte & U:
        # "S-mode can never execute instructions from user pages."
        if access == FETCH:
            return np.int64(Why.USER_CODE)
        if not who & SUM:
            return np.int64(Why.NO_SUM)
    if access == FETCH:
        refused = np.int64(Why.NOT_EXECUTABLE)
        needed = pte & X
    elif access == STORE:
        refused = np.int64(Why.NOT_WRITABLE)
        needed = pte & W
    else:
        refused = np.int64(Why.NOT_READABLE)
        needed = pte & (R | X if who & MXR else R)
    return refused if needed == 0 else np.int64(0)


def _state(level, pte, access, who):
    """Why a leaf at that level that permits the access is refused all the same, or 0."""
    if level == 1 and pte >> PTE_PPN_SHIFT & VPN:
        return np.int64(Why.MISALIGNED)
    if access == LOOK or not who & SVADE:
        return np.int64(0)
    # Svade: "a page-fault exception is raised" when A is clear, or D on a store.
    if not pte & A:
        return np.int64(Why.NOT_ACCESSED)
    if access == STORE and not pte & D:
        return np.int64(Why.NOT_DIRTY)
    return np.int64(0)


def _walker(read, entry, permission, state):
    """A walk that reads entries by `read(where, at, level)`: the entry at physical `at`,
    or minus what refuses it, a Why.  `where` is what `read` needs to know, and no one else."""

    def walk(where, root, va, access, who):
        """Walk from the root table at `root`: a Why or 0, then of the last entry its level,
        its physical address, and the entry: a leaf if nothing refuses the access."""
        table, at, pte = root, root, root
        for level in range(1, -1, -1):
            at = table + 4 * (va >> (PAGE_SHIFT + VPN_WIDTH * level) & VPN)
            pte = read(where, at, level)
            if pte < 0:
                return -pte, level, at, pte
            why = entry(level, pte)
            if why == 0 and pte & (R | X):
                why = permission(pte, access, who)
                if why == 0:
                    why = state(level, pte, access, who)
                return why, level, at, pte
            if why:
                return why, level, at, pte
            table = pte >> PTE_PPN_SHIFT << PAGE_SHIFT
        return np.int64(Why.NO_LEAF), level, at, pte  # `entry` has said so at level 0

    return walk


permission = njit(_permission)
_compiled = (njit(_entry), permission, njit(_state))


def compiled_walk(read: Callable) -> Callable:
    """A walk for compiled code, which `read` is."""
    return njit(_walker(read, *_compiled))


def plain_walk(read: Callable) -> Callable:
    """The same walk in Python, for whoever looks at a stopped machine."""
    return _walker(read, _entry, _permission, _state)


@njit
def small_leaf(level, pte, va):
    """A leaf's flags and frame as in the entry of a 4 KiB page that has `va` in it."""
    leaf = pte & FLAGS | pte >> PTE_PPN_SHIFT << PTE_PPN_SHIFT
    if level == 1:
        leaf += (va >> PAGE_SHIFT & VPN) << PTE_PPN_SHIFT | SUPER
    return leaf
