"""Answers for running a virtual machine: enter, exit, handle, and again.

It is the one loop of all engines.  Must not know how an engine runs the guest, nor what an
exit means: the engine's unit is called by its address.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, call_vm_unit, entry, njit, view
from toyisa.core.clock import charge, timer_deadline, virtual_time
from toyisa.core.decodepool import retired_aside
from toyisa.core.interrupts import still_waits, takes_interrupts
from toyisa.core.memory import MEMORY
from toyisa.core.mmio import attend
from toyisa.core.state import HART, NEVER
from toyisa.core.tlb import flush, forget_spaces, reserve
from toyisa.core.uart import TX_FULL
from toyisa.core.work import EXIT, count_flush, lend, out_of_work, settle_run
from toyisa.tables.bits import SIE_STIE
from toyisa.tables.causes import Exc
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from vmm.domain.asids import forget_returned
from vmm.domain.exits import Kind, ShadowEvent
from vmm.domain.host import host_of
from vmm.domain.record import DOMAIN
from vmm.domain.requests import EngineRequest, Trait
from vmm.domain.stats import count_exit, log_is_due, log_shadow
from vmm.exit.inject import inject_interrupt

BARREN_EXITS = 4096  # exits in a row without an instruction retired: it never will


@entry
def run_vm(hart, mem, vm):
    """Run the guest until its caller must act: a Reason.  Afterwards all its state is in `vm`."""
    hart.x[:] = vm.vcpu.hart.x
    _put_clock(vm, hart, mem)
    mem.work = vm.platform.work
    began, pc = np.int64(hart.clock.cycles), np.int64(vm.vcpu.hart.pc)
    # Whether the last exit's cost was counted; whether there was no exit, but a look.
    counted, again = True, False
    if vm.vcpu.looking:  # go on as if root had not had the hart
        began, pc, counted = np.int64(vm.vcpu.began), np.int64(vm.vcpu.left), vm.vcpu.counted != 0
        again = counted and vm.vcpu.fed == 0 and vm.vcpu.hart.root.budget == vm.vcpu.budget
        again = again and vm.vcpu.seen == _seen(vm) and vm.vcpu.hart.root.pause == 0
        vm.vcpu.looking = 0
    vm.vcpu.fed, vm.vcpu.budget = 0, vm.vcpu.hart.root.budget
    while True:
        if vm.vcpu.unfinished:  # an exit that had to wait
            began, counted = np.int64(vm.vcpu.began), False
            reason = _handle(vm, hart, mem, np.int64(vm.vcpu.unfinished))
        else:
            reason = _before_entry(vm, hart, mem, again)
            if reason != Reason.RUN:
                break
            vm.vcpu.again = again
            reason = call_vm_unit(vm.engine, hart, mem, vm, EngineRequest.ENTER, 0)
            if reason != Reason.RUN:
                break
            if vm.shadow.stale:
                flush(hart, -1, -1)
                forget_returned(host_of(vm).asids)
                vm.shadow.stale = 0
                count_flush(hart, mem)
                log_shadow(vm, hart, np.int64(ShadowEvent.FLUSH), np.int64(0), np.int64(0))
            if counted:  # no exit is charged for starting the guest
                vm.stats.cycles[np.int64(Kind.OTHER)] += hart.clock.cycles - began
            else:
                count_exit(vm, hart, began, pc)
            _note_entry(vm, hart, again)
            reason = _execute(hart, mem)
            began = np.int64(hart.clock.cycles)
            left = call_vm_unit(vm.engine, hart, mem, vm, EngineRequest.LEAVE, reason)
            if reason == Reason.LOOK or reason == Reason.BUDGET:
                began = np.int64(hart.clock.cycles)  # what ran up to a boundary was the guest
            pc = np.int64(vm.vcpu.hart.pc)
            reason = _handle(vm, hart, mem, left)
            again = left == Reason.LOOK
            # Nor is it an exit if a part of the budget was spent on the engine's own instructions.
            counted = again or (left == Reason.BUDGET and not _spent(vm, hart, mem))
        if reason != Reason.RUN:
            break
        if vm.vcpu.barren >= BARREN_EXITS:
            reason = np.int64(Reason.STUCK)
            break
    if reason == Reason.LOOK or reason == Reason.WAIT:  # root has the hart between two entries
        vm.vcpu.looking, vm.vcpu.left, vm.vcpu.counted = 1, pc, counted
        vm.vcpu.seen = _seen(vm)
    vm.vcpu.began = began
    if not vm.vcpu.unfinished and not vm.vcpu.looking and not counted:
        count_exit(vm, hart, began, pc)
    vm.vcpu.hart.x[:] = hart.x
    vm.platform.work = mem.work
    _take_clock(vm, hart)
    vm.vcpu.hart.clock.instret -= retired_aside(hart, mem)
    return reason


@entry
def run_vm_at(_virtual, _platform, hart, mem, vm):
    """`run_vm` as a unit that takes host addresses: for code that steps any machine."""
    return run_vm(view(hart, 1, HART)[0], view(mem, 1, MEMORY)[0], view(vm, 1, DOMAIN)[0])


@njit
def _seen(vm):
    """A digest of what a debugger may change while root has the hart, and the loop looks at."""
    virtual, csr = vm.vcpu.hart, vm.vcpu.hart.csr
    found = np.int64(virtual.pc) << 1 | virtual.priv
    for value in (
        csr.satp, csr.sstatus, csr.sie, csr.sip, csr.stvec, csr.scounteren,
        csr.stimecmp, csr.stimecmph,
    ):  # fmt: skip
        found = (found ^ found >> 29) * 0x1E3779B97F4A7C15 + value
    return found


@njit
def _note_entry(vm, hart, again):
    """The guest is entered: is that progress?  If it is entered `again`, nothing has changed for
    it.
    """
    if again:
        hart.root.deadline = min(hart.root.deadline, vm.vcpu.deadline)
    else:
        vm.vcpu.barren = vm.vcpu.barren + 1 if hart.clock.instret == vm.vcpu.retired else 0
        vm.vcpu.retired = hart.clock.instret
    vm.vcpu.deadline = hart.root.deadline


@njit
def _execute(hart, mem):
    """Run the real hart until it stops, or is out of work; return the reason."""
    since, lent = np.int64(hart.clock.instret), lend(hart, mem)
    reason = call_unit(mem.execute, hart, mem, 0, 0, 0)
    settle_run(hart, mem, since, lent)
    mem.work -= EXIT
    return reason


@njit
def _charge_exit(vm, hart, reason):
    """A trap to root crosses rings; code that the engine made itself only calls root."""
    if vm.traits & Trait.CALLOUTS and reason == Reason.TRAP and hart.exit.cause == Exc.ECALL_S:
        charge(hart, np.int64(Event.ROOT_CALLOUT), 1)
        return
    charge(hart, np.int64(Event.ROOT_CROSS), 1)
    if not hart.tlb.tagged:
        forget_spaces(hart)


@njit
def _take_clock(vm, hart):
    clock = vm.vcpu.hart.clock
    clock.cycles, clock.instret, clock.idle = (
        hart.clock.cycles, hart.clock.instret, hart.clock.idle,
    )  # fmt: skip


@njit
def _put_clock(vm, hart, mem):
    """Take over what devices in Python may have moved; not the cycles, which root charges.

    Within the loop `instret` counts all instructions, outside it the guest's own.
    """
    hart.clock.instret = vm.vcpu.hart.clock.instret + mem.aside.retired
    hart.clock.idle = vm.vcpu.hart.clock.idle
    hart.clock.offset = vm.vcpu.hart.clock.offset


@njit
def _spent(vm, hart, mem):
    """Whether the guest has retired as many of its own instructions as it may.

    It is computed exactly only if that may be so: `mem.aside` lacks what is not folded.
    """
    all_of_them, budget = hart.clock.instret, vm.vcpu.hart.root.budget
    if all_of_them - mem.aside.retired < budget:
        return False
    return all_of_them - retired_aside(hart, mem) >= budget


@njit
def _before_entry(vm, hart, mem, again):
    """Check what must be checked before a hart runs: stops, then interrupts; RUN, or why to
    stop.

    If it is entered `again`, it goes on as it was entered before: nothing is due earlier.
    """
    virtual, console = vm.vcpu.hart, vm.platform.console
    if out_of_work(mem):
        return np.int64(Reason.LOOK)
    _take_clock(vm, hart)
    vm.platform.request.pa = -1
    if not again:
        virtual.root.deadline = NEVER
    if not again and attend(virtual, vm.platform) and not console.halted:
        return np.int64(Reason.INPUT)
    if console.halted:
        return np.int64(Reason.HALTED)
    if console.tx_len >= TX_FULL or log_is_due(vm):
        return np.int64(Reason.OUTPUT)
    if virtual_time(virtual) >= console.obey_at:
        return np.int64(Reason.DEVICE)
    if not again:
        if virtual.root.pause and _waits(virtual, hart):
            return np.int64(Reason.WAIT)
        if _spent(vm, hart, mem) or virtual_time(virtual) >= virtual.root.limit:
            return np.int64(Reason.BUDGET)
        if virtual.clock.cycles >= virtual.root.spend:
            return np.int64(Reason.BUDGET)
        if inject_interrupt(vm, hart) and virtual.root.one_trap:
            return np.int64(Reason.STEP)
        vm.vcpu.due = _due(vm)
    hart.root.budget = min(virtual.root.budget + mem.aside.retired, np.int64(NEVER))
    hart.root.deadline = vm.vcpu.due
    hart.root.spend = virtual.root.spend
    return np.int64(Reason.RUN)


@njit
def _waits(virtual, hart):
    """Whether the guest waits, and root wants the hart for that time."""
    waits = still_waits(virtual)
    hart.clock.idle = virtual.clock.idle
    return waits


@njit
def _due(vm):
    """When root must look at the guest's devices and timer."""
    virtual = vm.vcpu.hart
    deadline = virtual.root.deadline
    timer = timer_deadline(virtual)
    if vm.traits & Trait.MASKS:
        if timer > virtual_time(virtual):  # so that a pending interrupt is known in time
            deadline = min(deadline, timer)
    elif virtual.csr.sie & SIE_STIE and takes_interrupts(virtual):
        deadline = min(deadline, timer)
    return deadline


@njit
def _handle(vm, hart, mem, reason):
    """Handle one exit; RUN, or why the caller must act.

    If the exit waits for input, undo its charges: the guest must not see how long the host
    made it wait.  If it is out of work, it continues later where it was.
    """
    virtual = vm.vcpu.hart
    vm.vcpu.kind = np.int64(Kind.OTHER)
    if reason == Reason.BUDGET or reason == Reason.OUTPUT or reason == Reason.LOOK:
        return np.int64(Reason.RUN)  # if it still holds, `_before_entry` says so
    if not vm.vcpu.unfinished:
        _charge_exit(vm, hart, reason)
        vm.vcpu.partial = 0
    _take_clock(vm, hart)
    virtual.resv.addr = hart.resv.addr
    vm.vcpu.saved[:] = hart.counts.event
    spent = hart.clock.cycles
    vm.vcpu.unfinished = 0
    if reason == Reason.DEADLINE:
        vm.vcpu.kind = np.int64(Kind.TIMER)
        answer = np.int64(Reason.RUN)
    elif reason == Reason.TRAP:
        answer = call_vm_unit(vm.engine, hart, mem, vm, EngineRequest.EXIT, reason)
    else:
        return reason
    if answer == Reason.INPUT:
        hart.counts.event[:] = vm.vcpu.saved
        hart.clock.cycles = spent
        vm.vcpu.unfinished = reason
    elif answer == Reason.LOOK:
        vm.vcpu.unfinished, vm.vcpu.partial = reason, 1
    hart.clock.instret, hart.clock.idle = virtual.clock.instret, virtual.clock.idle
    if hart.resv.addr >= 0 and virtual.resv.addr < 0:
        reserve(hart, np.int64(-1))
    return answer
