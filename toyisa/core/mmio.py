"""Answers for what a load or store of a device register does.

The console (an ns16550 UART), the finisher, and the way to the others; must not
know who accesses them nor how the address was translated.  An unmapped address
answers `NO_DEVICE`.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core import plic
from toyisa.core.clock import virtual_time
from toyisa.core.memory import (
    FINISHER,
    LOOP_SIZE,
    PAGE,
    PLIC_BASE,
    TX_SIZE,
    UART,
    UART_SOURCE,
    VIRTIO,
    VIRTIO_SLOTS,
    halt,
    receive,
    receive_ready,
    transmit,
)
from toyisa.tables.causes import Irq

NO_DEVICE = -1  # nothing is there: an access fault
ASK_ROOT = -2   # input is wanted that root has not given: repeat the access later
ASK_DEVICE = -3  # root keeps this register and does the access: see `memory.REQUEST`

TX_FULL = TX_SIZE - 8192  # from here on root takes the output; an SBI call adds 4096 at most

# How a machine was halted, for `console.how`.
BY_FINISHER, BY_SBI, BY_TOHOST = 1, 2, 3

# UART registers, and their bits.  Source: National Semiconductor, PC16550D data sheet; where it
# leaves a choice, as QEMU.
RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR = range(8)
LCR_DLAB = 0x80
LSR_DATA, LSR_OVERRUN, LSR_THR_EMPTY, LSR_IDLE = 0x01, 0x02, 0x20, 0x40
IER_RECEIVED, IER_EMPTIED, IER_LINE = 0x01, 0x02, 0x04
IIR_NONE, IIR_EMPTIED, IIR_RECEIVED, IIR_LINE = 0x01, 0x02, 0x04, 0x06
IIR_FIFOS = 0xC0  # set while the FIFOs are enabled
FCR_ENABLE, FCR_CLEAR_RX, FCR_CLEAR_TX = 0x01, 0x02, 0x04
MCR_DTR, MCR_RTS, MCR_OUTS, MCR_LOOP = 0x01, 0x02, 0x0C, 0x10
MSR_CTS, MSR_DSR, MSR_CARRIER = 0x10, 0x20, 0x80
MSR_OUTS = 4  # in loopback OUT1 and OUT2, so far up, are ring and carrier


@njit
def _received(console, now):
    """1 if a byte waits to be read, 0 if not, -1 if root must be asked.

    In loopback the line is cut: only what the guest has sent to itself waits.
    """
    if console.looped:
        return 1
    return 0 if console.mcr & MCR_LOOP else receive_ready(console, now)


@njit
def _take_looped(console):
    byte = np.int64(console.loop[console.loop_at & (LOOP_SIZE - 1)])
    console.loop_at = (console.loop_at + 1) & (LOOP_SIZE - 1)
    console.looped -= 1
    return byte


@njit
def _send_looped(console, byte):
    """In loopback a byte sent is received; without FIFOs the register holds one byte only."""
    if console.fifos and console.looped >= LOOP_SIZE:
        console.overrun = 1  # "it is not transferred to the FIFO"
        return
    if not console.fifos and console.looped:
        console.overrun = 1  # "the previous character is destroyed"
        console.looped = 0
    if not console.fifos:
        console.rbr = byte
    console.loop[(console.loop_at + console.looped) & (LOOP_SIZE - 1)] = byte
    console.looped += 1


@njit
def _interrupt(console, now):
    """What the UART interrupts for, as IIR's low bits say it; -1 if root must be asked."""
    if console.ier & IER_LINE and console.overrun:
        return IIR_LINE
    if console.ier & IER_RECEIVED:
        ready = _received(console, now)
        if ready < 0:
            return -1
        if ready:
            return IIR_RECEIVED
    return IIR_EMPTIED if console.ier & IER_EMPTIED and console.emptied else IIR_NONE


@njit
def _identify(console, now):
    """Read IIR: what it interrupts for, and whether there are FIFOs."""
    source = _interrupt(console, now)
    if source < 0:
        return ASK_ROOT
    if source == IIR_EMPTIED:  # "Reset: reading the IIR (if source of interrupt) ..."
        console.emptied = 0
    return source | (IIR_FIFOS if console.fifos else 0)


@njit
def _line_status(console, now):
    ready = _received(console, now)
    if ready < 0:
        return ASK_ROOT
    overrun = LSR_OVERRUN if console.overrun else 0
    console.overrun = 0
    return LSR_THR_EMPTY | LSR_IDLE | overrun | (LSR_DATA if ready else 0)


@njit
def _modem_status(console):
    """A terminal is there; in loopback the modem outputs are the inputs."""
    mcr = np.int64(console.mcr)
    if not mcr & MCR_LOOP:
        return MSR_CARRIER | MSR_DSR | MSR_CTS
    lines = (mcr & MCR_OUTS) << MSR_OUTS
    lines |= MSR_CTS if mcr & MCR_RTS else 0
    return lines | (MSR_DSR if mcr & MCR_DTR else 0)


@njit
def _receive(console, now):
    """Read RBR: the byte that waits; else nothing of a FIFO, and of the register what it had."""
    if console.looped:
        return _take_looped(console)
    ready = _received(console, now)
    if ready < 0:
        return ASK_ROOT
    byte = receive(console, now) if ready else np.int64(0)
    if console.fifos:
        return byte
    if ready:
        console.rbr = byte
    return np.int64(console.rbr)


@njit
def _uart_load(console, register, now):
    if register == RBR_THR:
        return np.int64(console.dll) if console.lcr & LCR_DLAB else _receive(console, now)
    if register == IER:
        return console.dlm if console.lcr & LCR_DLAB else console.ier
    if register == IIR_FCR:
        return _identify(console, now)
    if register == LCR:
        return console.lcr
    if register == MCR:
        return console.mcr
    if register == LSR:
        return _line_status(console, now)
    if register == MSR:
        return _modem_status(console)
    return console.scr


@njit
def _control_fifos(console, value):
    """Write FCR.  To enable or disable the FIFOs clears both of them.

    Input that the guest has not read yet is not lost: it is still on the line.
    """
    if value & FCR_ENABLE != console.fifos:
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX
    if value & FCR_CLEAR_RX:
        console.looped = 0
    if value & FCR_CLEAR_TX:
        console.emptied = 1
    console.fifos = value & FCR_ENABLE


@njit
def _send(console, value):
    if console.mcr & MCR_LOOP:
        _send_looped(console, value)
    else:
        transmit(console, value)
    console.emptied = 1  # at once


@njit
def _uart_store(console, register, value):
    if register == RBR_THR:
        if console.lcr & LCR_DLAB:
            console.dll = value
        else:
            _send(console, value)
    elif register == IER:
        if console.lcr & LCR_DLAB:
            console.dlm = value
        else:
            if value & ~np.int64(console.ier) & IER_EMPTIED:  # it is empty, and tells so
                console.emptied = 1
            console.ier = value & 0x0F
    elif register == IIR_FCR:
        _control_fifos(console, value)
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
def _hears(console):
    """Whether a byte may arrive by itself, and interrupt."""
    if not console.ier & IER_RECEIVED or console.mcr & MCR_LOOP:
        return False
    return console.rx_head != console.rx_tail or not (console.ended or console.live)


@njit
def attend(hart, mem):
    """Bring the devices' lines and SEIP up to the present; whether root must give input.

    Called where either may have changed.  Root's deadline becomes when the console
    must be looked at again, if a byte may arrive and interrupt by then, or its limit.
    """
    console = mem.console
    now = virtual_time(hart)
    wake = np.int64(console.obey_at)
    source = _interrupt(console, now)
    if source < 0:
        wake = min(wake, now)
    elif source != IIR_RECEIVED and _hears(console) and now < console.next_at:
        wake = min(wake, np.int64(console.next_at))
    hart.root.deadline = min(wake, np.int64(hart.root.limit))
    lines = np.int64(mem.plic.lines) & ~(1 << UART_SOURCE)
    lines |= 1 << UART_SOURCE if source > IIR_NONE else 0
    # Requests pass the open gateways, and stay.
    pending = np.int64(mem.plic.pending) | lines & ~np.int64(mem.plic.claimed)
    mem.plic.lines = lines
    mem.plic.pending = pending
    stored = np.int64(hart.csr.sip) & ~(1 << Irq.EXTERNAL)
    hart.csr.sip = stored | (1 << Irq.EXTERNAL if pending & np.int64(mem.plic.urgent) else 0)
    return source < 0


LONE = 2_500  # virtual time until root looks whether one half of `tohost` is to stand for both
LOW, HIGH = 1, 2  # halves of `tohost`, in `console.halves`
ZERO = 4  # the low half that was stored is 0


@njit
def stored_tohost(console, at, size, low, now):
    """The guest stored `size` bytes at byte `at` of HTIF's `tohost`, whose low word is `low` now.

    "tohost" is a doubleword, which RV32 stores in halves: a command is complete when both
    have been stored, in either order.  Programs that know but the low half store nothing
    else: theirs is complete when they store it again, or after a while.  Root looks at it
    at `console.obey_at` (`htif.py`).
    """
    console.obey_at = now + LONE
    console.lone_from = 0
    if (at & 3) + size < 4:  # a part of a half: others follow, or that was all
        return
    halves = np.int64(console.halves)
    again = at < 4 and halves & LOW != 0 and halves & ZERO == 0 and low != 0
    if at < 4:
        halves = halves & HIGH | LOW | (0 if low else ZERO)
    if at >= 4 or again:
        halves |= HIGH
    console.halves = halves
    if halves & (LOW | HIGH) == LOW | HIGH:
        console.obey_at = now
