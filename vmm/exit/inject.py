"""Answers for what the guest sees: exceptions and interrupts on its own hart.

They follow the machine's own rules, on the virtual hart: delegation, the sstatus stack, the
vector, priorities.  Must not know why.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, njit
from toyisa.core.clock import charge
from toyisa.core.interrupts import next_interrupt, take_interrupt
from toyisa.core.tlb import reserve
from toyisa.core.trap import pend
from toyisa.tables.cost import Event
from toyisa.tables.requests import Request

WORDS = 6  # sepc, scause, stval, sstatus, pc and level are written


@njit
def forward_exception(vm, hart, cause, tval, insn):
    """The guest takes this exception at its pc; RUN, STEP, STUCK, or TRAP for an SBI call."""
    pend(vm.vcpu.hart, cause, tval)
    return raise_in_guest(vm, hart, insn)


@njit
def raise_in_guest(vm, hart, insn):
    """The guest takes the exception that is pended on its hart."""
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    vm.stats.injected += 1
    return call_unit(vm.platform.serve, vm.vcpu.hart, vm.platform, Request.RAISE, insn, 0)


@njit
def inject_interrupt(vm, hart):
    """Let the guest take the interrupt that is due, if its own flags allow it; return whether it
    did.
    """
    irq = next_interrupt(vm.vcpu.hart)
    if irq < 0:
        return False
    take_interrupt(vm.vcpu.hart, irq)
    if hart.resv.addr >= 0:
        reserve(hart, np.int64(-1))  # as for any trap that the guest takes
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    vm.stats.injected += 1
    return True
