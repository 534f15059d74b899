"""Answers for what a program asks of its host by HTIF's `tohost`, a doubleword in memory.

    63    56 55    48 47                    0
    | device | command |       payload      |
       0        0        odd: the program ends, its code is payload >> 1
                         even: where a system call lies: number, arguments, 64 bits each
       1        1        a character to print

Source: riscv-isa-sim, fesvr/; QEMU, hw/char/riscv_htif.c.  When a command is complete is
`tohost.stored_tohost`'s to say.  Must not know who runs the program, nor how RAM is kept.
"""

import struct

import numpy as np

from toyisa.core.memory import TX_SIZE
from toyisa.core.mmio import BY_TOHOST
from toyisa.core.state import NEVER
from toyisa.core.tohost import HIGH, LONE, LOW
from toyisa.core.uart import TX_FULL
from toyisa.devices.virtqueue import Ram
from toyisa.tables.requests import Writer

BOTH = LOW | HIGH
PATIENCE = 2_500  # how many more instructions a program gets to store the second half

SYSTEM, CONSOLE = 0, 1  # devices
PUT = 1  # the console's command
WRITE, EXIT = 64, 93  # system calls, numbered as Linux's
FAULT, NO_CALL, BAD_FILE = -14, -38, -9  # their errors
MOST = TX_SIZE - TX_FULL  # bytes that one write takes: there is always room for them

_CALL = struct.Struct("<8Q")
_DOUBLE = struct.Struct("<Q")


def obey(ram: Ram, clock: np.record, console: np.record) -> None:
    """Do what the guest has asked of the host, and clear `tohost`, or end the program.

    If only one half was stored, the program gets time for the other one.  An interrupt may
    come between them, and under a monitor much virtual time may pass.  So instructions are
    counted.
    """
    if int(console.halves) & BOTH != BOTH:
        retired = int(clock.instret) + 1
        began = int(console.lone_from) or retired
        console.lone_from = began
        if retired - began < PATIENCE:
            busy = clock.instret if clock.icount else clock.cycles
            console.obey_at = int(busy) + int(clock.idle) + LONE
            return
    _obey(ram, console)


def ends(ram: Ram, console: np.record) -> bool:
    """Whether a program that cannot go on has just told the host that it ends."""
    if console.obey_at == NEVER:
        return False
    _obey(ram, console)
    return bool(console.halted)


def _obey(ram: Ram, console: np.record) -> None:
    halves, console.halves = int(console.halves), 0
    console.obey_at, console.lone_from = NEVER, 0
    if halves & BOTH == HIGH:
        return  # the low half was never stored
    try:
        (command,) = _DOUBLE.unpack(ram.read(int(console.tohost), 8))
        if command:
            _do(ram, console, command)
    except IndexError:
        return  # the host cannot answer there: a page table, or not in RAM


def _do(ram: Ram, console: np.record, command: int) -> None:
    device, number, payload = command >> 56, command >> 48 & 0xFF, command & (1 << 48) - 1
    if (device, number) == (SYSTEM, 0) and payload & 1:
        _end(console, payload >> 1)
        return
    answer = 0
    if (device, number) == (SYSTEM, 0):
        if _call(ram, console, payload):
            return
        answer = 1
    elif (device, number) == (CONSOLE, PUT):
        _print(console, bytes([payload & 0xFF]))
        answer = 0x100 | payload & 0xFF
    ram.write(int(console.tohost), bytes(8), Writer.HOST)
    if answer and console.fromhost >= 0:
        ram.write(int(console.fromhost), _DOUBLE.pack(command >> 48 << 48 | answer), Writer.HOST)


def _call(ram: Ram, console: np.record, place: int) -> bool:
    """Do the system call at `place`, with the result in its first word; return whether the
    program ends.
    """
    try:
        number, file, buffer, size, *_ = _CALL.unpack(ram.read(place, _CALL.size))
    except IndexError:
        return False
    if number == EXIT:
        _end(console, file)
        return True
    result = NO_CALL
    if number == WRITE:
        result = _write(ram, console, file, (buffer, min(size, MOST)))
    ram.write(place, _DOUBLE.pack(result & (1 << 64) - 1), Writer.HOST)
    return False


def _write(ram: Ram, console: np.record, file: int, piece: tuple[int, int]) -> int:
    if file not in (1, 2):
        return BAD_FILE
    try:
        _print(console, ram.read(*piece))
    except IndexError:
        return FAULT
    return piece[1]


def _print(console: np.record, data: bytes) -> None:
    """Print bytes; the guest was stopped when there was room for them (`uart.TX_FULL`)."""
    start = int(console.tx_len)
    room = data[: TX_SIZE - start]
    console.tx[start : start + len(room)] = np.frombuffer(room, np.uint8)
    console.tx_len = start + len(room)


def _end(console: np.record, code: int) -> None:
    console.halted, console.code, console.how = 1, code & 0xFFFF_FFFF, BY_TOHOST
