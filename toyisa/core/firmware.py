"""Answers for SBI calls on the bare machine, as its firmware.

It is root software, but not a VMM: it answers `ecall` from S and does nothing else.  Source:
RISC-V SBI specification 2.0; legacy calls from chapter 5.  The arguments are in a0.., the
extension in a7, the function in a6.  The answer is (a0 error, a1 value), for legacy calls
only a0.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.access import store_ram
from toyisa.core.clock import charge, virtual_time
from toyisa.core.memory import halt, ram_bytes, ram_offset, receive, receive_ready, transmit
from toyisa.core.mmio import BY_SBI
from toyisa.core.system import wait
from toyisa.core.tlb import drop_fast_tags
from toyisa.core.work import CALL, INSNS, count_flush
from toyisa.tables.causes import Irq
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.sbi import (
    BASE,
    CLEAR_IPI,
    DBCN,
    FENCE,
    GETCHAR,
    HSM,
    IPI,
    PUTCHAR,
    RFENCE,
    SEND_IPI,
    SET_TIMER,
    SHUTDOWN,
    SRST,
    TIME,
)  # fmt: skip

OK, FAILED, NOT_SUPPORTED, INVALID_PARAM, INVALID_ADDRESS = 0, -1, -2, -3, -5
ALREADY_AVAILABLE = -6

# HSM: the function that suspends a hart, and the `suspend_type` that it knows.  "INVALID_PARAM:
# suspend_type is reserved or is platform-specific and unimplemented."
SUSPEND, RETENTIVE, NON_RETENTIVE = 3, 0, 0x8000_0000

SPEC_VERSION = 2 << 24  # 2.0
IMPLEMENTATION = 0x746F79  # "toy": not a registered number
ASK = -1 << 40  # not an SBI answer: root must give input, then the call is repeated

A0, A1, A2, A6, A7 = 10, 11, 12, 16, 17


@njit
def _set_timer(hart, low, high):
    """ "... clears the pending timer interrupt": stimecmp does both."""
    hart.csr.stimecmp = low
    hart.csr.stimecmph = high


@njit
def _base(function, argument):
    if function == 0:
        return SPEC_VERSION
    if function == 1:
        return IMPLEMENTATION
    if function == 2:
        return 1
    if function == 3:
        known = argument <= SHUTDOWN or argument == BASE or argument == TIME or argument == IPI
        known = known or argument == RFENCE or argument == HSM or argument == SRST
        return 1 if known or argument == DBCN else 0
    return 0  # mvendorid, marchid, mimpid: "0 is always a legal value"


@njit
def _write_console(mem, count, address):
    """DBCN write: at most `count` bytes at physical `address`; how many were written."""
    count = min(count, 4096)  # "may write less": the caller continues from there
    at = ram_offset(mem, address, count)
    if at < 0:
        return np.int64(-1)
    mem.work -= count >> INSNS
    for n in range(count):
        transmit(mem.console, ram_bytes(mem)[at + n])
    return count


@njit
def _legacy(hart, mem, extension, a0, a1):
    """The calls without function numbers; the answer is a0 alone."""
    if extension == SET_TIMER:
        _set_timer(hart, a0, a1)
    elif extension == PUTCHAR:
        transmit(mem.console, a0)
    elif extension == GETCHAR:
        ready = receive_ready(mem.console, virtual_time(hart))
        if ready < 0:
            return np.int64(ASK)
        return receive(mem.console, virtual_time(hart)) if ready else np.int64(-1)
    elif extension == CLEAR_IPI:
        hart.csr.sip &= 0xFFFFFFFF ^ (1 << Irq.SOFTWARE)
    elif extension == SEND_IPI:
        hart.csr.sip |= 1 << Irq.SOFTWARE
    elif extension == SHUTDOWN:
        halt(mem.console, 0, BY_SBI)
    else:
        drop_fast_tags(hart)  # remote fences: there is no other hart, but they
        hart.tlb.dkey[:] = -1  # may have been meant for this one
        hart.tlb.ikey[:] = -1
        count_flush(hart, mem)
    return np.int64(0)


@njit
def _no_hart(mask, base):
    """ "At least one hartid constructed from hart_mask_base and hart_mask is not valid"."""
    if base == 0xFFFFFFFF:  # "hart_mask can be ignored and all available harts ..."
        return False
    return mask != 0 and (base != 0 or mask != 1)


@njit
def _note_refused(hart, extension, function):
    """Record the call for people: a guest with a wrong register goes on as if it were answered."""
    refused = hart.refused
    refused.pc, refused.extension, refused.function = hart.pc, extension, function
    refused.times += 1


@njit
def _send_ipi(hart, mask, base):
    """Make the software interrupt pending; an error."""
    if _no_hart(mask, base):
        return np.int64(INVALID_PARAM)
    if mask != 0 or base == 0xFFFFFFFF:
        hart.csr.sip |= 1 << Irq.SOFTWARE
    return np.int64(OK)


@njit
def _fence(hart, mem, mask, base):
    """Fence, as if it had come from another hart; an error."""
    if _no_hart(mask, base):
        return np.int64(INVALID_PARAM)
    _legacy(hart, mem, np.int64(FENCE), mask, base)
    return np.int64(OK)


@njit
def _hart_state(function, number):
    """HSM start, stop and status of a machine's only hart, which runs; an error."""
    if function == 1:
        return np.int64(FAILED)  # the last hart cannot be stopped
    if number != 0:
        return np.int64(INVALID_PARAM)
    return np.int64(ALREADY_AVAILABLE if function == 0 else OK)


@njit
def _suspend(hart, kind):
    """HSM suspend: an error, and why the hart does not run on, or RUN."""
    if kind == RETENTIVE:
        return np.int64(OK), np.int64(wait(hart))
    return np.int64(NOT_SUPPORTED if kind == NON_RETENTIVE else INVALID_PARAM), np.int64(Reason.RUN)


@njit
def _reset(mem, kind, reason):
    """Turn the machine off: nobody would start it again after a reset; an error."""
    if kind > 2 or reason > 1:
        return np.int64(INVALID_PARAM)
    halt(mem.console, reason, BY_SBI)  # reason 1 is "system failure"
    return np.int64(OK)


@njit
def _read_console(hart, mem, count, address):
    """DBCN read: the bytes that have arrived, without waiting; returns how many."""
    at = ram_offset(mem, address, count)
    if at < 0:
        return np.int64(-1)
    if count == 0:
        return np.int64(0)
    now = virtual_time(hart)
    ready = receive_ready(mem.console, now)
    if ready < 0:
        return np.int64(ASK)
    if ready == 0:
        return np.int64(0)
    store_ram(hart, mem, at, 1, receive(mem.console, now), True)
    return np.int64(1)


@njit
def _debug_console(hart, mem, function, count, address):
    """DBCN: how many bytes were written or read; -1 if they are not in RAM; ASK."""
    if function == 0:
        return np.int64(_write_console(mem, count, address))
    if function == 1:
        return np.int64(_read_console(hart, mem, count, address))
    transmit(mem.console, count)
    return np.int64(0)


@njit
def _answer(hart, mem, extension, function):
    """The calls with function numbers: error, value, and RUN; or why there is no answer yet."""
    x, run = hart.x, np.int64(Reason.RUN)
    a0, a1, a2 = np.int64(x[A0]), np.int64(x[A1]), np.int64(x[A2])
    error, value, reason = np.int64(OK), np.int64(0), run
    if extension == BASE and function <= 6:
        value = np.int64(_base(function, a0))
    elif extension == TIME and function == 0:
        _set_timer(hart, a0, a1)
    elif extension == IPI and function == 0:
        error = _send_ipi(hart, a0, a1)
    elif extension == RFENCE and function <= 2:
        error = _fence(hart, mem, a0, a1)
    elif extension == HSM and function == SUSPEND:
        error, reason = _suspend(hart, a0)
    elif extension == HSM and function <= 2:
        error = _hart_state(function, a0)
    elif extension == SRST and function == 0:
        error = _reset(mem, a0, a1)
    elif extension == DBCN and function <= 2:
        value = _debug_console(hart, mem, function, a0, a2 << 32 | a1)
        reason = np.int64(Reason.INPUT) if value == ASK else run
        error = np.int64(OK if value >= 0 else INVALID_PARAM)
    else:
        error = np.int64(NOT_SUPPORTED)
        _note_refused(hart, extension, function)
    return error, value, reason


@njit
def answer_sbi(hart, mem):
    """Answer the `ecall` at `hart.pc`; RUN, or a reason with nothing changed."""
    mem.work -= CALL
    x = hart.x
    extension = np.int64(x[A7])
    if extension <= SHUTDOWN:
        answer = _legacy(hart, mem, extension, np.int64(x[A0]), np.int64(x[A1]))
        if answer == ASK:
            return np.int64(Reason.INPUT)
        x[A0] = answer & 0xFFFFFFFF
    else:
        error, value, reason = _answer(hart, mem, extension, np.int64(x[A6]))
        if reason != Reason.RUN:
            return reason
        x[A0] = error & 0xFFFFFFFF
        x[A1] = max(value, 0) & 0xFFFFFFFF
    hart.pc = (np.int64(hart.pc) + 4) & 0xFFFFFFFF
    hart.clock.instret += 1
    charge(hart, np.int64(Event.FIRMWARE), 1)
    return np.int64(Reason.RUN)
