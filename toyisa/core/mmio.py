"""Answers for what a load or store of a device register does, and for the devices' lines.

It decides which device is meant, has the finisher, and leads to the devices in Python.  Must
not know who accesses them, nor how the address was translated.  An unmapped address answers
`NO_DEVICE`.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core import plic, uart
from toyisa.core.clock import virtual_time
from toyisa.core.memory import (
    FINISHER,
    PAGE,
    PLIC_BASE,
    UART,
    UART_SOURCE,
    VIRTIO,
    VIRTIO_SLOTS,
    halt,
)
from toyisa.core.uart import ASK_ROOT, IIR_NONE, IIR_RECEIVED
from toyisa.tables.causes import Irq

__all__ = ["ASK_DEVICE", "ASK_ROOT", "NO_DEVICE", "attend", "load", "store"]

NO_DEVICE = -1  # nothing is there: an access fault
ASK_DEVICE = -3  # root keeps this register and does the access: see `memory.REQUEST`

# How a machine was halted, for `console.how`.
BY_FINISHER, BY_SBI, BY_TOHOST = 1, 2, 3


@njit
def _ask(mem, pa, write, value):
    """Record an access to a register in Python; `access.py` fills in `op`, `rd` and `width`."""
    plic_word = PLIC_BASE <= pa < PLIC_BASE + plic.SIZE and pa & 3 == 0
    if not plic_word and not VIRTIO <= pa < VIRTIO + VIRTIO_SLOTS * PAGE:
        return np.int64(NO_DEVICE)
    mem.request.pa = pa
    mem.request.write = write
    mem.request.value = value
    return np.int64(ASK_DEVICE)


@njit
def load(mem, pa, now):
    """Read the device register at physical `pa` at virtual time `now`."""
    if UART <= pa < UART + 8:
        return uart.load(mem.console, pa - UART, now)
    if FINISHER <= pa < FINISHER + 4:
        return 0
    return _ask(mem, pa, 0, 0)


@njit
def store(mem, pa, value):
    """Write `value` to the device register at `pa`; 0, ASK_DEVICE or NO_DEVICE."""
    if UART <= pa < UART + 8:
        uart.store(mem.console, pa - UART, value & 0xFF)
        return 0
    if FINISHER <= pa < FINISHER + 4:
        if value & 0xFFFF == 0x5555:
            halt(mem.console, 0, BY_FINISHER)
        elif value & 0xFFFF == 0x3333:
            # QEMU's: the upper half is the guest's exit code.
            halt(mem.console, max(value >> 16, 1), BY_FINISHER)
        elif value & 0xFFFF == 0x7777:  # reset: nothing would start it again
            halt(mem.console, 0, BY_FINISHER)
        return 0
    return _ask(mem, pa, 1, value)


@njit
def attend(hart, mem):
    """Bring the devices' lines and SEIP up to date; return whether root must give input.

    It is called where either may have changed.  Root's deadline becomes the time when the
    console must be looked at again, if a byte may arrive and interrupt by then, or root's
    limit.
    """
    console = mem.console
    now = virtual_time(hart)
    wake = np.int64(console.obey_at)
    source = uart.interrupt_source(console, now)
    if source < 0:
        wake = min(wake, now)
    elif source != IIR_RECEIVED and uart.hears(console) and now < console.next_at:
        wake = min(wake, np.int64(console.next_at))
    hart.root.deadline = min(wake, np.int64(hart.root.limit))
    lines = np.int64(mem.plic.lines) & ~(1 << UART_SOURCE)
    lines |= 1 << UART_SOURCE if source > IIR_NONE else 0
    # Requests pass the open gateways, and stay pending.
    pending = np.int64(mem.plic.pending) | lines & ~np.int64(mem.plic.claimed)
    mem.plic.lines = lines
    mem.plic.pending = pending
    stored = np.int64(hart.csr.sip) & ~(1 << Irq.EXTERNAL)
    hart.csr.sip = stored | (1 << Irq.EXTERNAL if pending & np.int64(mem.plic.urgent) else 0)
    return source < 0
