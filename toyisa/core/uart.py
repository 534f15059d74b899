"""Answers for the console's registers: an ns16550 UART.

Must not know at which addresses the registers are (`mmio.py`), nor who types and who reads
(`toyisa/devices/terminal.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import LOOP_SIZE, TX_SIZE, receive, receive_ready, transmit

ASK_ROOT = -2  # the guest needs input that root has not given: repeat the access later

TX_FULL = TX_SIZE - 8192  # from here on root takes the output; an SBI call adds at most 4096

# UART registers, and their bits.  Source: National Semiconductor, PC16550D data sheet; where it
# leaves a choice, like QEMU.
RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR = range(8)
LCR_DLAB = 0x80
LSR_DATA, LSR_OVERRUN, LSR_THR_EMPTY, LSR_IDLE = 0x01, 0x02, 0x20, 0x40
IER_RECEIVED, IER_EMPTIED, IER_LINE = 0x01, 0x02, 0x04
IIR_NONE, IIR_EMPTIED, IIR_RECEIVED, IIR_LINE = 0x01, 0x02, 0x04, 0x06
IIR_FIFOS = 0xC0  # set while the FIFOs are enabled
FCR_ENABLE, FCR_CLEAR_RX, FCR_CLEAR_TX = 0x01, 0x02, 0x04
MCR_DTR, MCR_RTS, MCR_OUTS, MCR_LOOP = 0x01, 0x02, 0x0C, 0x10
MSR_CTS, MSR_DSR, MSR_CARRIER = 0x10, 0x20, 0x80
MSR_OUTS = 4  # in loopback OUT1 and OUT2 are, so far up, ring and carrier


@njit
def _received(console, now):
    """1 if a byte waits to be read, 0 if not, -1 if root must be asked.

    In loopback the line is cut: only bytes that the guest has sent to itself wait.
    """
    if console.looped:
        return 1
    return 0 if console.mcr & MCR_LOOP else receive_ready(console, now)


@njit
def _take_looped(console):
    """The first byte that the guest sent to itself."""
    byte = np.int64(console.loop[console.loop_at & (LOOP_SIZE - 1)])
    console.loop_at = (console.loop_at + 1) & (LOOP_SIZE - 1)
    console.looped -= 1
    return byte


@njit
def _send_looped(console, byte):
    """In loopback a byte that is sent is received; without FIFOs there is room for one byte
    only.
    """
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
def interrupt_source(console, now):
    """Why the UART interrupts, as the low bits of IIR; -1 if root must be asked."""
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
    """Read IIR: why it interrupts, and whether there are FIFOs."""
    source = interrupt_source(console, now)
    if source < 0:
        return ASK_ROOT
    if source == IIR_EMPTIED:  # "Reset: reading the IIR (if source of interrupt) ..."
        console.emptied = 0
    return source | (IIR_FIFOS if console.fifos else 0)


@njit
def _line_status(console, now):
    """Read LSR, which clears its overrun bit; ASK_ROOT."""
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
    """Read RBR: the waiting byte; if there is none, 0 from a FIFO, or the old byte from the
    register.
    """
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
def load(console, register, now):
    """Read a register at virtual time `now`; ASK_ROOT."""
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
    """Write FCR.  Enabling or disabling the FIFOs clears both of them.

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
def store(console, register, value):
    """Write a byte to a register."""
    if register == RBR_THR:
        if console.lcr & LCR_DLAB:
            console.dll = value
        else:
            _send(console, value)
    elif register == IER:
        if console.lcr & LCR_DLAB:
            console.dlm = value
        else:
            if value & ~np.int64(console.ier) & IER_EMPTIED:  # it is empty, and says so
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
def hears(console):
    """Whether a byte may arrive by itself, and interrupt."""
    if not console.ier & IER_RECEIVED or console.mcr & MCR_LOOP:
        return False
    return console.rx_head != console.rx_tail or not (console.ended or console.live)
