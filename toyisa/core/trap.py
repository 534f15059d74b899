"""Answers for traps: who gets one, what entering S does, and returning from it.

Must not know why an exception was raised, nor which interrupts are pending (`interrupts.py`).
Source: RISC-V privileged manual, chapter 12 (supervisor level).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.coverage import BY_S, TO_ROOT, cover_trap
from toyisa.core.state import RECENT
from toyisa.core.tlb import recontext
from toyisa.tables.bits import SSTATUS_SIE, SSTATUS_SPIE, SSTATUS_SPP, STVEC_VECTORED
from toyisa.tables.causes import CODE_MASK, INTERRUPT, Exc
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.levels import Level

SIE, SPIE, SPP = SSTATUS_SIE, SSTATUS_SPIE, SSTATUS_SPP
BASE = 0xFFFFFFFF ^ 3  # of stvec: "aligned on a 4-byte boundary"
BARREN_TRAPS = 64  # traps in a row without an instruction retired: it never will


@njit
def pend(hart, cause, tval):
    """Record an exception that was found, for `raise_pending`."""
    hart.pending.cause = cause
    hart.pending.tval = tval & 0xFFFFFFFF
    hart.pending.to_root = 0


@njit
def pend_root(hart, cause, tval):
    """S was denied something: record a trap that goes to root whatever is delegated."""
    pend(hart, cause, tval)
    hart.pending.to_root = 1


@njit
def _leave_trail(hart, cause, tval):
    """Add a trap to the trail, by which two runs show that they took the same traps.

    Below 2**42 before a step and below 2**62 within it: nothing overflows.
    """
    trail = np.int64(hart.trail)
    for word in (cause, np.int64(hart.pc), tval, hart.clock.instret):
        trail = (trail * 1_000_003 ^ word) & (1 << 42) - 1
    hart.trail = trail


@njit
def _remember(hart, cause, tval):
    """Keep the trap among the latest, for people: cause, place, how often in a row."""
    taken = hart.taken
    at = taken.at & RECENT - 1
    if taken.times[at] == 0 or taken.cause[at] != cause or taken.pc[at] != hart.pc:
        at = at + 1 & RECENT - 1
        taken.at = at
        taken.cause[at], taken.pc[at], taken.priv[at] = cause, hart.pc, hart.priv
        taken.first_tval[at], taken.since[at] = tval, hart.clock.instret
        taken.times[at] = taken.returned[at] = 0
    taken.times[at] += 1
    taken.tval[at], taken.until[at] = tval, hart.clock.instret


@njit
def enter_s(hart, cause, interrupt, tval):
    """Take a trap to S: "sepc ... the virtual address of the instruction", and so on."""
    _leave_trail(hart, cause | (INTERRUPT if interrupt else 0), tval)
    _remember(hart, cause | (INTERRUPT if interrupt else 0), tval)
    csr = hart.csr
    csr.sepc = hart.pc
    csr.scause = cause | (INTERRUPT if interrupt else 0)
    csr.stval = tval
    status = np.int64(csr.sstatus)
    # "When a trap is taken, SPP is set to 0 if the trap originated from user mode
    # ...", "SPIE is set to SIE, and SIE is set to 0".
    status = status & ~(SPIE | SPP | SIE) | (SPIE if status & SIE else 0)
    csr.sstatus = status | (SPP if hart.priv == Level.S else 0)
    base = np.int64(csr.stvec)
    hart.pc = (base & BASE) + (4 * cause if interrupt and base & STVEC_VECTORED else 0) & 0xFFFFFFFF
    hart.priv = Level.S
    hart.resv.addr = -1
    recontext(hart)


@njit
def _price(cause):
    if cause == Exc.ECALL_U or cause == Exc.ECALL_S:
        return np.int64(Event.TRAP_ECALL)
    if cause == Exc.FETCH_PAGE or cause == Exc.LOAD_PAGE or cause == Exc.STORE_PAGE:
        return np.int64(Event.TRAP_PAGE)
    return np.int64(Event.TRAP_FAULT)


@njit
def raise_pending(hart, insn):
    """Raise the recorded exception at `hart.pc`; RUN if S took it, otherwise why root must act."""
    cause = np.int64(hart.pending.cause) & CODE_MASK
    tval = np.int64(hart.pending.tval)
    if hart.pending.to_root or not hart.root.deleg_exc >> cause & 1:
        ex = hart.exit
        if hart.covers:
            cover_trap(hart, insn, cause, TO_ROOT)
        ex.reason = Reason.TRAP
        ex.cause = cause
        ex.tval = tval
        ex.insn = insn
        ex.pc = hart.pc
        return np.int64(Reason.TRAP)
    if hart.covers:
        cover_trap(hart, insn, cause, BY_S)
    hart.counts.exc[cause] += 1
    pending = hart.pending
    if hart.clock.instret != pending.barren_at or pending.barren == 0:
        pending.barren_at = hart.clock.instret
        pending.barren = 0
        pending.first_cause, pending.first_tval, pending.first_pc = cause, tval, hart.pc
    pending.barren += 1
    enter_s(hart, cause, False, tval)
    charge(hart, _price(cause), 1)
    if pending.barren >= BARREN_TRAPS:
        return np.int64(Reason.STUCK)
    return np.int64(Reason.STEP if hart.root.one_trap else Reason.RUN)


@njit
def return_from_s(hart):
    """`sret`: pop the interrupt-enable stack, go to sepc at the level in SPP."""
    taken = hart.taken
    taken.returned[taken.at & RECENT - 1] += 1
    status = np.int64(hart.csr.sstatus)
    hart.priv = Level.S if status & SPP else Level.U
    status = status & ~(SIE | SPP) | (SIE if status & SPIE else 0) | SPIE
    hart.csr.sstatus = status
    hart.pc = hart.csr.sepc
    hart.resv.addr = -1
    recontext(hart)
