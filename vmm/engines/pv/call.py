"""Answers for hypercalls: each number, its arguments checked, and what it does.

Every argument is hostile until it is checked.  Calls that may be in a multicall answer a
number, 0 or an Error.  The others decide where the guest continues, or whether it must wait,
and answer a Reason.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge, virtual_time
from toyisa.core.memory import ram_words, receive, receive_ready, transmit
from toyisa.core.mmio import ASK_ROOT, NO_DEVICE, load
from toyisa.core.tlb import flush
from toyisa.core.trap import SIE, return_from_s
from toyisa.core.work import ENTRY, count_flush, out_of_work
from toyisa.tables.bits import SSTATUS_SPIE
from toyisa.tables.cost import Event
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.exits import Reason
from toyisa.tables.insns import BY_NAME as INSNS
from vmm.abi.hypercalls import (
    AS_ROOT,
    BATCH_WORDS,
    CALL_WORDS,
    FIRST,
    MAX_BATCH,
    MAX_CALLS,
    Call,
    Error,
    Word,
)  # fmt: skip
from vmm.domain.exits import Kind
from vmm.domain.record import pages
from vmm.domain.space import gfn_of, offset_of, read_word, write_word
from vmm.engines.pv.record import RANGES
from vmm.exit.emulate import emulate_system
from vmm.paging.direct.frames import flush_all, is_table
from vmm.paging.direct.pin import new_base, pin_table, unpin_table, update_entry
from vmm.paging.direct.validate import MORE

A0, A1, A2, A7 = 10, 11, 12, 17
INTERRUPTS = BY_NAME["sie"].writable
SEPC = BY_NAME["sepc"].writable
WFI = INSNS["wfi"].match
M = 0xFFFFFFFF


@njit
def hypercall(vm, hart, mem, pv, number):
    """Do what the `ecall` at the guest's pc asks for; return the reason.

    LOOK if it is out of work: when it is called again, it continues where it was.
    """
    if not vm.vcpu.partial:
        pv.calls += 1
        pv.done, pv.inside, pv.entries = 0, 0, -1
    a0, a1, a2 = np.int64(hart.x[A0]), np.int64(hart.x[A1]), np.int64(hart.x[A2])
    pv.answers = 0
    if number == Call.IRET:
        return _iret(vm, hart, mem, pv)
    if number == Call.BLOCK:
        return _block(vm, hart, mem)
    if number == Call.CONSOLE_READ:
        console, now = vm.platform.console, virtual_time(vm.vcpu.hart)
        ready = receive_ready(console, now)
        if ready < 0:
            return np.int64(Reason.INPUT)
        pv.answer, pv.answers = (receive(console, now) if ready else np.int64(-1)), 1
        error = np.int64(0)
    elif number == Call.DEVICE_READ:
        value = np.int64(load(vm.platform, a0, virtual_time(vm.vcpu.hart)))
        if value == ASK_ROOT:
            return np.int64(Reason.INPUT)
        vm.platform.request.pa = -1  # devices in Python cannot be used by this call
        error = np.int64(0 if value > NO_DEVICE else Error.ADDRESS)
        charge(hart, np.int64(Event.MMIO), 1)
        pv.answer, pv.answers = max(value, 0), 1
    elif number == Call.MULTICALL:
        error = _multicall(vm, hart, mem, pv, a0, a1)
    elif number == Call.EVENT or number == Call.YIELD:
        error = np.int64(0)
    else:
        error = simple_call(vm, hart, mem, pv, number, a0, a1, a2)
    if error == MORE:
        return np.int64(Reason.LOOK)
    hart.x[A0] = error & M
    if pv.answers:
        hart.x[A1] = pv.answer & M
    _return(vm)
    return np.int64(Reason.RUN)


@njit
def _return(vm):
    vm.vcpu.hart.pc = (np.int64(vm.vcpu.hart.pc) + 4) & M
    vm.vcpu.hart.clock.instret += 1


@njit
def simple_call(vm, hart, mem, pv, number, a0, a1, a2):
    """A hypercall that may be in a multicall; 0, an Error, or MORE."""
    mem.work -= ENTRY
    csr = vm.vcpu.hart.csr
    if number == Call.SET_PTE:
        pv.updates += 1
        return update_entry(vm, hart, mem, a0, a1, False)
    if number == Call.SET_PGD:
        pv.updates += 1
        return update_entry(vm, hart, mem, a0, a1, True)
    if number == Call.SET_PTE_FLUSH:
        pv.updates += 1
        flush(hart, a2, np.int64(-1))
        count_flush(hart, mem)
        return update_entry(vm, hart, mem, a0, a1, False)
    if number == Call.UPDATE_PTES:
        return _update_ptes(vm, hart, mem, pv, a0, a1)
    if number == Call.NEW_BASE:
        return new_base(vm, hart, mem, a0)
    if number == Call.FLUSH_PAGE:
        flush(hart, a0, np.int64(-1))
        count_flush(hart, mem)
        return np.int64(0)
    if number == Call.FLUSH:
        flush_all(vm, hart)
        count_flush(hart, mem)
        return np.int64(0)
    if number == Call.PIN_TABLE:
        return pin_table(vm, hart, mem, a0, a1)
    if number == Call.UNPIN_TABLE:
        return unpin_table(vm, hart, mem, a0)
    if number == Call.SET_TIMER:
        csr.stimecmp, csr.stimecmph = a0, a1
        return np.int64(0)
    if number == Call.IRQ_MASK:
        csr.sie = (np.int64(csr.sie) & ~a1 | a0) & INTERRUPTS
        return np.int64(0)
    if number == Call.CONSOLE_WRITE:
        transmit(vm.platform.console, a0)
        return np.int64(0)
    if number == Call.SET_TRAP:
        return _set_trap(vm, hart, mem, pv, a0, a1)
    return np.int64(Error.NOT_SUPPORTED)


@njit
def _set_trap(vm, hart, mem, pv, gate, ranges):
    """Set the trap entry and the critical ranges; all or nothing."""
    if gate & 3 or ranges & 3:
        return np.int64(Error.INVALID)
    charge(hart, np.int64(Event.ROOT_WORD), 2 * RANGES)
    for n in range(2 * RANGES):
        if read_word(vm, mem, ranges + 4 * n) < 0:
            return np.int64(Error.ADDRESS)
    for n in range(RANGES):
        pv.first[n] = read_word(vm, mem, ranges + 8 * n)
        pv.last[n] = read_word(vm, mem, ranges + 8 * n + 4)
    vm.vcpu.hart.csr.stvec = gate
    return np.int64(0)


@njit
def _update_ptes(vm, hart, mem, pv, where, count):
    """A batch of table entries; a1 says how many were done."""
    pv.answer, pv.answers = 0, 1
    if where & 3 or count > MAX_BATCH:
        return np.int64(Error.INVALID)
    if pv.entries < 0:
        charge(hart, np.int64(Event.ROOT_WORD), BATCH_WORDS * count)
        pv.entries = 0
    error = np.int64(0)
    while error == 0 and pv.entries < count:
        if out_of_work(mem):
            return np.int64(MORE)
        error = _update_one(vm, hart, mem, pv, where + 4 * BATCH_WORDS * pv.entries)
        pv.entries += 1 if error == 0 else 0
    pv.answer, pv.entries = pv.entries, -1
    return error


@njit
def _update_one(vm, hart, mem, pv, at):
    """The pair at gpa `at` of a batch; 0 or an Error."""
    mem.work -= ENTRY
    place, pte = read_word(vm, mem, at), read_word(vm, mem, at + 4)
    if place < 0 or pte < 0:
        return np.int64(Error.ADDRESS)
    pv.updates += 1
    return update_entry(vm, hart, mem, place & ~AS_ROOT, pte, place & AS_ROOT != 0)


@njit
def _multicall(vm, hart, mem, pv, where, count):
    """Calls one after the other, with each answer beside its call; a1 says how many were done."""
    error = np.int64(0)
    if where & 3 or count > MAX_CALLS:
        error = np.int64(Error.INVALID)
    while error == 0 and pv.done < count:
        if out_of_work(mem):
            return np.int64(MORE)
        at = where + 4 * CALL_WORDS * pv.done
        if not pv.inside:
            error = _begin_call(vm, hart, mem, pv, at)
        if error == 0:
            call = pv.call
            answer = simple_call(vm, hart, mem, pv, call[0] - FIRST, call[1], call[2], call[3])
            if answer == MORE:
                return np.int64(MORE)
            # The call may have made the page of its answer a table.
            if not is_table(vm, np.int64(pages(vm)[gfn_of(vm, at + 16)].mfn)):
                write_word(vm, hart, mem, at + 16, answer & M)
            pv.calls += 1
            pv.done += 1
            pv.inside = 0
    pv.answer, pv.answers = pv.done, 1
    return error


@njit
def _begin_call(vm, hart, mem, pv, at):
    """Read the call of a multicall at gpa `at`; 0 or an Error."""
    gfn = gfn_of(vm, at + 16)
    for n in range(4):
        pv.call[n] = read_word(vm, mem, at + 4 * n)
        if pv.call[n] < 0:
            return np.int64(Error.ADDRESS)
    if offset_of(vm, at + 16) < 0:
        return np.int64(Error.ADDRESS)
    if is_table(vm, np.int64(pages(vm)[gfn].mfn)):
        return np.int64(Error.DENIED)
    charge(hart, np.int64(Event.ROOT_WORD), CALL_WORDS)
    pv.inside = 1
    return np.int64(0)


@njit
def _iret(vm, hart, mem, pv):
    """Return from a trap to the place that the trap registers and the window name."""
    hart.x[A7] = ram_words(mem)[pv.words + Word.SPILL]
    pv.held = 0
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    vm.vcpu.hart.csr.sepc &= SEPC
    return_from_s(vm.vcpu.hart)  # since the exit vm.vcpu.hart has the window's STATUS
    vm.vcpu.hart.csr.sstatus &= M ^ SSTATUS_SPIE  # what is put back must say U
    vm.vcpu.hart.clock.instret += 1
    return np.int64(Reason.RUN)


@njit
def _block(vm, hart, mem):
    """Sleep as `wfi` does, then turn interrupts on; not before, or one that is taken early would
    be missed.
    """
    reason = emulate_system(vm, hart, mem, np.int64(WFI))
    vm.vcpu.kind = np.int64(Kind.HYPERCALL)
    if reason == Reason.RUN:
        vm.vcpu.hart.csr.sstatus |= SIE
        hart.x[A0] = 0
    return reason
