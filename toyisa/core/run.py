"""Answers for what happens between runs: root's stops, interrupts, the fetch, events.

Must not know how instructions are executed (`execute.py`): here a run will begin, or was just
closed.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core import access
from toyisa.core.clock import timer_deadline, virtual_time
from toyisa.core.decodepool import settle, slot_of
from toyisa.core.interrupts import (
    next_interrupt,
    still_waits,
    take_interrupt,
    takes_interrupts,
)
from toyisa.core.memory import PAGE, STRIDE, WORDS, ram_words
from toyisa.core.mmu import DIFFERS, PAGE_FAULT, access_fault, page_fault, translate_fetch
from toyisa.core.state import NEVER, NO_TAG
from toyisa.core.sv32 import FETCH
from toyisa.core.system import FAULT, execute_system, retire
from toyisa.core.trap import pend, raise_pending
from toyisa.core.uart import TX_FULL
from toyisa.core.work import RUN, out_of_work
from toyisa.tables.bits import SIE_STIE
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from toyisa.tables.leaves import Leave

M = 0xFFFFFFFF


@njit
def _fetch(hart, mem):
    """The slot of the page at `hart.pc`, or -1 with a fetch exception pended, or DIFFERS."""
    va = np.int64(hart.pc)
    tag = hart.tlb.ctx_x | (va & 0xFFFFF000)
    if hart.fetch.tag != tag or hart.fences:
        frame = translate_fetch(hart, mem, va)
        settle(hart, mem)
        if frame == DIFFERS:
            return frame
        if frame < 0:
            pend(hart, page_fault(FETCH) if frame == PAGE_FAULT else access_fault(FETCH), va)
            hart.fetch.tag = -1
            return -1
        hart.fetch.tag = tag
        hart.fetch.frame = frame
    slot = slot_of(hart, mem, hart.fetch.frame)
    e = (va >> 12) & hart.tlb.imask
    hart.tlb.xtag[e] = tag if hart.fences == 0 else NO_TAG
    hart.tlb.xslot[e] = slot * STRIDE
    return slot


@njit
def insn_at_pc(hart, mem):
    """The word at `hart.pc`, whose page was fetched from last."""
    return np.int64(ram_words(mem)[(hart.fetch.frame * PAGE + (np.int64(hart.pc) & 0xFFC)) >> 2])


@njit
def prepare(hart, mem):
    """Before a run: root's stops, interrupts, the fetch.  Returns the slot, or -1 - reason."""
    while True:
        mem.work -= RUN
        if mem.console.halted:
            return -1 - np.int64(Reason.HALTED)
        if mem.console.tx_len >= TX_FULL:
            return -1 - np.int64(Reason.OUTPUT)
        if virtual_time(hart) >= mem.console.obey_at:
            return -1 - np.int64(Reason.DEVICE)
        if hart.root.pause and still_waits(hart):
            return -1 - np.int64(Reason.WAIT)
        if virtual_time(hart) >= hart.root.deadline:
            return -1 - np.int64(Reason.DEADLINE)
        if hart.clock.instret >= hart.root.budget or hart.clock.cycles >= hart.root.spend:
            return -1 - np.int64(Reason.BUDGET)
        if out_of_work(mem) or hart.clock.instret >= mem.look:
            return -1 - np.int64(Reason.LOOK)
        irq = next_interrupt(hart)
        if irq >= 0:
            take_interrupt(hart, irq)
            if hart.root.one_trap:
                return -1 - np.int64(Reason.STEP)
        slot = _fetch(hart, mem)
        if slot >= 0:
            return slot
        if slot == DIFFERS:
            return -1 - np.int64(Reason.LOOK)
        reason = raise_pending(hart, np.int64(0))
        if reason != Reason.RUN:
            return -1 - reason


@njit
def deadlines(hart, mem):
    """The cycles, and instructions, until root, a timer or the budget must be looked at."""
    now = virtual_time(hart)
    left = min(hart.root.deadline - now, np.int64(NEVER))
    if hart.csr.sie & hart.root.deleg_int & SIE_STIE and takes_interrupts(hart):
        left = min(left, timer_deadline(hart) - now)
    budget = min(min(hart.root.budget, mem.look) - hart.clock.instret, np.int64(NEVER))
    if hart.clock.icount:
        return min(hart.root.spend - hart.clock.cycles, np.int64(NEVER)), min(budget, left)
    return min(left, hart.root.spend - hart.clock.cycles), budget


@njit
def exact_stop(cum, i, end, cycles, instructions):
    """The first place where a run from `i` must stop: the page's end, or what is left."""
    stop = min(end, i + instructions)
    if cum[stop] - cum[i] > cycles:
        low, high = i + 1, stop  # the smallest k with cum[k] - cum[i] >= cycles
        while low < high:
            k = (low + high) >> 1
            if cum[k] - cum[i] >= cycles:
                high = k
            else:
                low = k + 1
        stop = low
    return stop


@njit
def execute_or_raise(hart, mem, uop, insn):
    """Execute a system instruction; if it faults, raise that.  RUN, or the reason for root."""
    reason = execute_system(hart, mem, uop, insn)
    return reason if reason != FAULT else raise_pending(hart, insn)


@njit
def handle(hart, mem, event, uop, target):
    """Handle what interrupted a run, with the run closed: RUN, or the reason for root."""
    before = hart.clock.instret
    place = hart.fetch.frame * WORDS + ((np.int64(hart.pc) & 0xFFC) >> 2)
    reason = _handle(hart, mem, event, uop, target)
    # Outside a run: the pool has not counted it
    if mem.aside.frames and hart.clock.instret != before:
        place -= mem.aside.first * WORDS
        if 0 <= place < mem.aside.frames * WORDS:
            marks = view(mem.aside.marks, mem.aside.frames * WORDS, np.uint8)
            mem.aside.retired += marks[place] & 1
    return reason


@njit
def _handle(hart, mem, event, uop, target):
    insn = insn_at_pc(hart, mem)
    if event == Leave.RARE:
        return execute_or_raise(hart, mem, uop, insn)
    if event == Leave.FETCH_PAGE:  # a jump to a page that is not known: `prepare` fetches it
        hart.x[uop >> 8 & 0xFF] = (np.int64(hart.pc) + 4) & M
        retire(hart, uop & 0xFF)
        hart.pc = target
        return np.int64(Reason.RUN)
    if event == Leave.CODE_STORE and access.access_memory(hart, mem, uop, True) <= access.RESYNC:
        retire(hart, uop & 0xFF)
        hart.pc = (np.int64(hart.pc) + 4) & M
        return np.int64(Reason.RUN)
    if event == Leave.ASK:
        return np.int64(Reason.INPUT)
    if event == Leave.LOOK:
        return np.int64(Reason.LOOK)
    if event == Leave.MISALIGNED:
        pend(hart, np.int64(Exc.INSN_MISALIGNED), target)
    return raise_pending(hart, insn)
