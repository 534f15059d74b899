"""Answers for interrupts: which are pending, which one S takes next, and taking it.

Must not know who set a bit of `sip`, nor what entering S does (`trap.py`).  Source: RISC-V
privileged manual, chapter 12 (supervisor level).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge, timer_deadline, virtual_time
from toyisa.core.coverage import BY_S, cover_trap
from toyisa.core.state import NEVER
from toyisa.core.trap import SIE, enter_s
from toyisa.tables.bits import SIP_STIP
from toyisa.tables.causes import CODE_MASK, CODES, Irq
from toyisa.tables.cost import Event
from toyisa.tables.levels import Level


@njit
def pending_bits(hart):
    """The value of `sip`: the stored bits, and STIP from the timer."""
    bits = np.int64(hart.csr.sip)
    if virtual_time(hart) >= timer_deadline(hart):
        bits |= SIP_STIP
    return bits


@njit
def still_waits(hart):
    """Whether the guest, whose `wfi` has set `root.pause`, waits: then until `root.wake`.

    If root's own work has taken so long that it never waited, the time is skipped all the same,
    so that the clock does not depend on `root.waits`.
    """
    root, now = hart.root, virtual_time(hart)
    begins = root.wake == 0
    if begins:
        root.wake = min(now + root.pause, np.int64(NEVER))
    if now < root.wake and hart.csr.sie & pending_bits(hart) == 0:
        return True
    if begins and root.wake < NEVER:
        hart.clock.idle += root.pause
    root.pause = root.wake = 0
    return False


@njit
def takes_interrupts(hart):
    """ "If the hart is running in U, interrupts are always enabled; in S, by SIE"."""
    return hart.priv == Level.U or hart.csr.sstatus & SIE != 0


@njit
def next_interrupt(hart):
    """The interrupt that S must take now, the highest first, or -1."""
    if not takes_interrupts(hart):
        return -1
    bits = np.int64(hart.csr.sie) & np.int64(hart.root.deleg_int)
    if bits == 0:
        return -1
    bits &= pending_bits(hart)
    if bits == 0:
        return -1
    if bits & 1 << Irq.EXTERNAL:
        return np.int64(Irq.EXTERNAL)
    if bits & 1 << Irq.SOFTWARE:
        return np.int64(Irq.SOFTWARE)
    return np.int64(Irq.TIMER) if bits & 1 << Irq.TIMER else -1


@njit
def take_interrupt(hart, irq):
    """Enter S for interrupt `irq`."""
    if hart.covers:
        cover_trap(hart, np.int64(0), CODES + irq, BY_S)
    hart.counts.irq[irq & CODE_MASK] += 1
    enter_s(hart, irq, True, 0)
    charge(hart, np.int64(Event.TRAP_IRQ), 1)
