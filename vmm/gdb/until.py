"""Answers for running up to a breakpoint or watchpoint: stepping, in compiled code.

It goes one instruction at a time.  So addresses are virtual ones in whatever address space
the guest is, the guest's memory stays untouched, and a plain run costs nothing extra.  It
makes some ten million steps a second.  It is compiled when a debugger first needs it.  Must
not know gdb.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit
from toyisa.core.decode import decode
from toyisa.core.memory import PAGE, ram_offset, ram_words
from toyisa.core.mmu import walk
from toyisa.core.sv32 import FETCH
from toyisa.core.tlb import PAGED
from toyisa.tables.exits import Reason
from toyisa.tables.ops import Op

READ, WRITE = 1, 2  # accesses for which a watchpoint stops

# Why `run_until` stopped, if not for a Reason of the hart.
END = 100        # the given moment is reached
BREAKPOINT = 101
WATCHPOINT = 102

# Places in the array `found`.
INSTRET, TRAPS, WHICH, ADDRESS, KIND, _ADDRESS, _KIND = range(7)
PLACES = 7  # the last two are for an access that has not happened yet


@njit
def _uop(hart, mem):
    """The micro-op at `hart.pc`, or an illegal one if nothing can be fetched there."""
    pa = np.int64(hart.pc)
    if hart.csr.satp & PAGED:
        leaf = walk(hart, mem, pa, np.int64(FETCH), True)
        if leaf < 0:
            return np.int64(Op.ILLEGAL)
        pa = leaf >> 10 << 12 | pa & (PAGE - 1)
    at = ram_offset(mem, pa, 4)
    if at < 0:
        return np.int64(Op.ILLEGAL)
    return decode(np.int64(ram_words(mem)[at >> 2]), np.int64(0))


@njit
def _access(op):
    """What a micro-op does to memory: READ and WRITE or-ed, and 8 * the number of bytes."""
    if op == Op.LB or op == Op.LBU or op == Op.LB_ABS or op == Op.LBU_ABS:
        return READ | 8
    if op == Op.LH or op == Op.LHU or op == Op.LH_ABS or op == Op.LHU_ABS:
        return READ | 16
    if op == Op.LW or op == Op.LW_ABS or op == Op.LR_W:
        return READ | 32
    if op == Op.SB or op == Op.SB_ABS:
        return WRITE | 8
    if op == Op.SH or op == Op.SH_ABS:
        return WRITE | 16
    if op == Op.SW or op == Op.SW_ABS or op == Op.SC_W:
        return WRITE | 32
    if (
        op == Op.AMOSWAP_W or op == Op.AMOADD_W or op == Op.AMOXOR_W or op == Op.AMOAND_W
        or op == Op.AMOOR_W or op == Op.AMOMIN_W or op == Op.AMOMAX_W or op == Op.AMOMINU_W
        or op == Op.AMOMAXU_W
    ):
        return READ | WRITE | 32
    return 0


@njit
def _watched(hart, mem, watches, found):
    """The number of the watchpoint that the instruction at `hart.pc` would touch, or -1."""
    uop = _uop(hart, mem)
    access = _access(uop & 0xFF)
    if access == 0:
        return -1
    va = (np.int64(hart.x[uop >> 16 & 0xFF]) + (uop >> 32)) & 0xFFFFFFFF
    for n in range(watches.shape[0]):
        start, size, kinds = watches[n, 0], watches[n, 1], watches[n, 2]
        if access & kinds and va < start + size and start < va + (access >> 3):
            found[_ADDRESS] = max(va, start)
            found[_KIND] = kinds
            return n
    return -1


@njit
def _traps(hart):
    return hart.counts.exc.sum() + hart.counts.irq.sum()


@entry
def run_until(hart, mem, unit, stops, watches, end, found, last):
    """Step until the moment `end`, a pc in `stops`, or an access in `watches`.

    `unit` steps the machine (`Machine.runner`).  `end` is (instret, traps).  A stop is looked
    for after the first step.  The answer is END, BREAKPOINT, WATCHPOINT or a Reason; `found`
    says where.  With `last` the run goes on to the end, and `found` has the last stop; for a
    watchpoint that is the moment before the access, where somebody who goes backwards wants
    to be.
    """
    traps = _traps(hart)
    result = np.int64(END)
    hart.root.one_trap = 1
    while hart.clock.instret < end[0] or (hart.clock.instret == end[0] and traps < end[1]):
        before, before_traps = np.int64(hart.clock.instret), traps
        watched = _watched(hart, mem, watches, found) if watches.shape[0] else -1
        hart.root.budget = before + 1
        reason = call_unit(unit[0], hart, mem, unit[1], unit[2], unit[3])
        if reason == Reason.STEP:
            traps += 1
        elif reason != Reason.BUDGET:
            result = np.int64(reason)
            break
        hit = np.int64(0)
        if watched >= 0 and reason == Reason.BUDGET:
            hit = np.int64(WATCHPOINT)
            found[ADDRESS], found[KIND] = found[_ADDRESS], found[_KIND]
        else:
            for n in range(stops.size):
                if stops[n] == hart.pc:
                    hit = np.int64(BREAKPOINT)
        if hit and not last:
            result = hit
            break
        if hit == WATCHPOINT:
            found[WHICH], found[INSTRET], found[TRAPS] = hit, before, before_traps
        elif hit and (hart.clock.instret < end[0] or traps < end[1]):
            found[WHICH], found[INSTRET], found[TRAPS] = hit, hart.clock.instret, traps
    hart.root.one_trap = 0
    return result
