"""Answers for what a load or store of a device register does.

The console (an ns16550 UART), the finisher, and the way to the others; must not
know who accesses them nor how the address was translated.  An unmapped address
answers `NO_DEVICE`.
"""

import numpy as np

from toyisa import plic
from toyisa.causes import Irq
from toyisa.clock import virtual_time
from toyisa.memory import (
    FINISHER,
    PAGE,
    PLIC_BASE,
    TX_SIZE,
    UART,
    UART_SOURCE,
    VIRTIO,
    VIRTIO_SLOTS,
    halt,
    ram_offset,
    ram_words,
    receive,
    receive_ready,
    transmit,
)
from toyisa.njit import njit
from toyisa.state import NEVER

NO_DEVICE = -1  # nothing is there: an access fault
ASK_ROOT = -2   # input is wanted that root has not given: repeat the access later
ASK_DEVICE = -3  # root keeps this register and does the access: see `memory.REQUEST`

TX_FULL = TX_SIZE - 8192  # from here on root takes the output; an SBI call adds 4096 at most

# How a machine was halted, for `console.how`.
BY_FINISHER, BY_SBI, BY_TOHOST = 1, 2, 3

# UART registers, and bits of the line status register.
RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR = range(8)
LCR_DLAB = 0x80
LSR_DATA, LSR_THR_EMPTY, LSR_IDLE = 0x01, 0x20, 0x40
IER_RECEIVED, IER_EMPTIED = 0x01, 0x02
IIR_NONE, IIR_EMPTIED, IIR_RECEIVED = 0xC1, 0xC2, 0xC4  # with FIFOs enabled
MSR_READY = 0xB0  # carrier, data set ready, clear to send


@njit
def _uart_load(console, register, now):
    if register == RBR_THR:
        if console.lcr & LCR_DLAB:
            return console.dll
        ready = receive_ready(console, now)
        if ready < 0:
            return ASK_ROOT
        return receive(console, now) if ready else 0
    if register == IER:
        return console.dlm if console.lcr & LCR_DLAB else console.ier
    if register == IIR_FCR:
        # "Reset: reading the IIR (if source of interrupt), or writing the THR."
        if console.ier & IER_RECEIVED and receive_ready(console, now) == 1:
            return IIR_RECEIVED
        if console.ier & IER_EMPTIED and console.emptied:
            console.emptied = 0
            return IIR_EMPTIED
        return IIR_NONE
    if register == LCR:
        return console.lcr
    if register == MCR:
        return console.mcr
    if register == LSR:
        ready = receive_ready(console, now)
        if ready < 0:
            return ASK_ROOT
        return LSR_THR_EMPTY | LSR_IDLE | (LSR_DATA if ready else 0)
    if register == MSR:
        return MSR_READY
    return console.scr


@njit
def _uart_store(console, register, value):
    if register == RBR_THR:
        if console.lcr & LCR_DLAB:
            console.dll = value
        else:
            transmit(console, value)
            console.emptied = 1  # at once
    elif register == IER:
        if console.lcr & LCR_DLAB:
            console.dlm = value
        else:
            if value & ~np.int64(console.ier) & IER_EMPTIED:  # it is empty, and tells so
                console.emptied = 1
            console.ier = value & 0x0F
    elif register == LCR:
        console.lcr = value
    elif register == MCR:
        console.mcr = value & 0x1F
    elif register == SCR:
        console.scr = value


@njit
def _ask(mem, pa, write, value):
    """Note an access to a register in Python, the caller adds what it alone knows."""
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
        return _uart_load(mem.console, pa - UART, now)
    if FINISHER <= pa < FINISHER + 4:
        return 0
    return _ask(mem, pa, 0, 0)


@njit
def store(mem, pa, value):
    """Write `value` to the device register at `pa`; 0, ASK_DEVICE or NO_DEVICE."""
    if UART <= pa < UART + 8:
        _uart_store(mem.console, pa - UART, value & 0xFF)
        return 0
    if FINISHER <= pa < FINISHER + 4:
        if value & 0xFFFF == 0x5555:
            halt(mem.console, 0, BY_FINISHER)
        elif value & 0xFFFF == 0x3333:
            # QEMU's: the upper half is the guest's exit code.
            halt(mem.console, max(value >> 16, 1), BY_FINISHER)
        elif value & 0xFFFF == 0x7777:  # reset: nobody would start it again
            halt(mem.console, 0, BY_FINISHER)
        return 0
    return _ask(mem, pa, 1, value)


@njit
def attend(hart, mem):
    """Bring the devices' lines and SEIP up to the present; whether root must give input.

    Called where either may have changed.  Root's deadline becomes when the console
    must be looked at again, if a byte may arrive and interrupt by then.
    """
    console = mem.console
    now = virtual_time(hart)
    hart.root.deadline = NEVER
    raised = console.ier & IER_EMPTIED != 0 and console.emptied != 0
    ready = 0
    if console.ier & IER_RECEIVED:
        ready = receive_ready(console, now)
        wake = np.int64(NEVER)
        if ready < 0:
            wake = now
        elif ready == 0 and now < console.next_at:
            if console.rx_head != console.rx_tail or not (console.ended or console.live):
                wake = console.next_at
        hart.root.deadline = wake
    lines = np.int64(mem.plic.lines) & ~(1 << UART_SOURCE)
    lines |= 1 << UART_SOURCE if raised or ready == 1 else 0
    # Requests pass the open gateways, and stay.
    pending = np.int64(mem.plic.pending) | lines & ~np.int64(mem.plic.claimed)
    mem.plic.lines = lines
    mem.plic.pending = pending
    stored = np.int64(hart.csr.sip) & ~(1 << Irq.EXTERNAL)
    hart.csr.sip = stored | (1 << Irq.EXTERNAL if pending & np.int64(mem.plic.urgent) else 0)
    return ready < 0


@njit
def stored_tohost(mem):
    """The guest stored to HTIF's `tohost`: an exit, or a character to print.

    "bit 0 set: the program ends, the code is the rest"; device 1, command 1 in the
    upper word prints the lower word's byte.
    """
    offset = ram_offset(mem, mem.console.tohost, 8)
    if offset >= 0:
        obey_tohost(mem.console, ram_words(mem)[offset >> 2 :])


@njit
def obey_tohost(console, words):
    """Do what the two words at `tohost` say, and clear them when they were taken."""
    low, high = words[0], words[1]
    if high >> 16 == 0x0101:
        transmit(console, low)
        words[0] = 0
        words[1] = 0
    elif low & 1:
        halt(console, low >> 1, BY_TOHOST)
