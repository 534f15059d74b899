"""Answers for SBI calls of a guest: its firmware is virtual.

The machine's firmware answers them on the virtual hart.  Only if a call names memory is it
done here, through guest-physical memory.  Source: SBI specification 2.0.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, njit
from toyisa.core.access import store_ram
from toyisa.core.clock import charge, virtual_time
from toyisa.core.firmware import A0, A1, A2, A6, A7, INVALID_PARAM
from toyisa.core.memory import ram_bytes, receive, receive_ready, transmit
from toyisa.core.tlb import flush
from toyisa.core.work import INSNS, count_flush
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.requests import Request
from toyisa.tables.sbi import DBCN, FENCE_I, RFENCE, SHUTDOWN
from vmm.domain.record import pages
from vmm.domain.space import backed, gfn_of, offset_of
from vmm.exit.emulate import stored, told_host
from vmm.paging.direct.frames import is_table

CHUNK = 4096  # bytes that one console write takes at most: "may write less"


@njit
def answer_guest_sbi(vm, hart, mem):
    """Answer the `ecall` at the guest's pc; RUN, or INPUT with nothing changed."""
    virtual = vm.vcpu.hart
    for n in range(A0, A7 + 1):
        virtual.x[n] = hart.x[n]
    extension, function = np.int64(hart.x[A7]), np.int64(hart.x[A6])
    charge(hart, np.int64(Event.ROOT_EMULATE), 1)
    if extension == DBCN and function <= 1:
        reason = _console(vm, hart, mem, function)
    else:
        reason = call_unit(vm.platform.serve, virtual, vm.platform, Request.SBI, 0, 0)
    if reason == Reason.RUN:
        hart.x[A0], hart.x[A1] = virtual.x[A0], virtual.x[A1]
        if extension == RFENCE or FENCE_I <= extension < SHUTDOWN:
            flush(hart, -1, -1)
            count_flush(hart, mem)
    return reason


@njit
def _console(vm, hart, mem, function):
    """DBCN write (0) and read (1): `a0` bytes at the guest-physical address a2:a1."""
    count, at = np.int64(hart.x[A0]), np.int64(hart.x[A2]) << 32 | np.int64(hart.x[A1])
    value = np.int64(0)
    if not backed(vm, at, min(count, CHUNK) if function == 0 else count):
        value = np.int64(-1)
    elif function == 1 and count and is_table(vm, np.int64(pages(vm)[gfn_of(vm, at)].mfn)):
        value = np.int64(-1)  # a table of the machine's: only checked entries may be written there
    elif function == 0:
        mem.work -= CHUNK >> INSNS
        value = min(count, np.int64(CHUNK))
        for n in range(value):
            transmit(vm.platform.console, ram_bytes(mem)[offset_of(vm, at + n)])
    elif count:
        ready = receive_ready(vm.platform.console, virtual_time(vm.vcpu.hart))
        if ready < 0:
            return np.int64(Reason.INPUT)
        if ready:
            byte = receive(vm.platform.console, virtual_time(vm.vcpu.hart))
            store_ram(hart, mem, offset_of(vm, at), 1, byte, True)
            stored(vm, hart, mem, at)
            told_host(vm, mem, at, np.int64(1))
            value = np.int64(1)
    virtual = vm.vcpu.hart
    virtual.x[A0] = INVALID_PARAM & 0xFFFFFFFF if value < 0 else 0
    virtual.x[A1] = max(value, 0)
    virtual.pc = (np.int64(virtual.pc) + 4) & 0xFFFFFFFF
    virtual.clock.instret += 1
    return np.int64(Reason.RUN)
