"""Answers for what lies behind physical addresses, and for the decode pool.

A machine's memory is a tuple of flat arrays, so that njit code takes it by
value.  Must not know about virtual addresses (`mmu.py`) nor what a device does
(`devices.py`).

    0x0010_0000  finisher         write 0x5555 to pass, 0x3333 to fail
    0x1000_0000  ns16550 UART     the console
    0x8000_0000  RAM              `ram_size` bytes
"""

from typing import NamedTuple

import numpy as np

from toyisa.njit import njit
from toyisa.state import record

RAM_BASE = 0x8000_0000
PAGE = 4096
FINISHER = 0x0010_0000
UART = 0x1000_0000

# The decode pool: a slot holds a page of micro-ops.  STRIDE has one place more
# than a page has instructions: sums over a page's instructions end there.
WORDS = PAGE // 4
STRIDE = WORDS + 1
SLOTS = 1023
POOL = 1 << 20  # SLOTS * STRIDE rounded up, so that an index can be masked
POOL_MASK = POOL - 1
NO_SLOT = -1

# Frame flags.
CODE = 1    # the frame has a decode slot: a store must be decoded again
TOHOST = 2  # the frame holds the tohost word: a store may be for the host

TX_SIZE = 1 << 16
RX_SIZE = 1 << 12

CONSOLE = record(
    ("tx", "u1", TX_SIZE), ("tx_len", "i8"),
    ("rx", "u1", RX_SIZE), ("rx_head", "i8"), ("rx_tail", "i8"),
    ("ended", "i8"),      # no more input will come
    ("live", "i8"),       # a person types: an empty queue means no key yet
    ("next_at", "i8"),    # virtual time at which the next byte arrives
    ("interval", "i8"),   # virtual time between two bytes
    ("halted", "i8"), ("code", "i8"), ("how", "i8"),
    ("tohost", "i8"),     # physical address of HTIF's tohost, or -1
    ("ier", "u1"), ("lcr", "u1"), ("scr", "u1"), ("mcr", "u1"), ("dll", "u1"), ("dlm", "u1"),
)  # fmt: skip


class Memory(NamedTuple):
    """RAM in three widths, what the MMU must know of each frame, the decode pool."""

    ram8: np.ndarray    # u1, RAM
    ram16: np.ndarray   # u2, the same bytes
    ram32: np.ndarray   # u4, the same bytes
    flags: np.ndarray   # u1 a frame
    slot: np.ndarray    # i4 a frame: its decode slot or NO_SLOT
    uops: np.ndarray    # i8, POOL micro-ops
    cum: np.ndarray     # i4, cycles of the page's instructions before this one
    flow: np.ndarray    # i8, runs that began here less runs that ended before here
    edge: np.ndarray    # i8, times that the near branch here was taken
    owner: np.ndarray   # i4 a slot: its frame or NO_SLOT
    pool: np.ndarray    # i8, [0] slots in use, [1] flushes, [2] stale word's offset or -1
    console: np.record  # CONSOLE


def new_memory(ram_size: int) -> Memory:
    """Zeroed memory of `ram_size` bytes, a multiple of the page size."""
    ram = np.zeros(ram_size // 4, np.uint32)
    frames = ram_size // PAGE
    console = np.zeros(1, CONSOLE)[0]
    console.tohost = -1
    return Memory(
        ram8=ram.view(np.uint8), ram16=ram.view(np.uint16), ram32=ram,
        flags=np.zeros(frames, np.uint8), slot=np.full(frames, NO_SLOT, np.int32),
        uops=np.zeros(POOL, np.int64), cum=np.zeros(POOL, np.int32),
        flow=np.zeros(POOL, np.int64), edge=np.zeros(POOL, np.int64),
        owner=np.full(SLOTS, NO_SLOT, np.int32), pool=np.array([0, 0, -1]), console=console,
    )  # fmt: skip


@njit
def ram_offset(mem, pa, size):
    """The offset in RAM of `size` bytes at physical `pa`, or -1 outside it."""
    offset = pa - RAM_BASE
    if offset < 0 or offset + size > mem.ram8.size:
        return -1
    return offset


@njit
def read_ram(mem, offset, size):
    """`size` (1, 2, 4) bytes at an aligned RAM offset, zero-extended."""
    if size == 4:
        return np.int64(mem.ram32[offset >> 2])
    if size == 2:
        return np.int64(mem.ram16[offset >> 1])
    return np.int64(mem.ram8[offset])


@njit
def write_ram(mem, offset, size, value):
    """Store the low `size` bytes of `value`; the caller keeps the decode pool true."""
    if size == 4:
        mem.ram32[offset >> 2] = value & 0xFFFFFFFF
    elif size == 2:
        mem.ram16[offset >> 1] = value & 0xFFFF
    else:
        mem.ram8[offset] = value & 0xFF


@njit
def receive_ready(console, now):
    """1 a byte can be read at virtual time `now`, 0 not, -1 root must be asked."""
    if now < console.next_at:
        return 0
    if console.rx_head != console.rx_tail:
        return 1
    if console.ended or console.live:
        return 0
    return -1


@njit
def receive(console, now):
    """Take the byte that `receive_ready` promised; the next comes an interval later."""
    byte = np.int64(console.rx[console.rx_head & (RX_SIZE - 1)])
    console.rx_head += 1
    console.next_at = now + console.interval
    return byte


@njit
def transmit(console, byte):
    """Put a byte out; the caller has seen that the buffer is not full."""
    console.tx[console.tx_len & (TX_SIZE - 1)] = byte & 0xFF
    console.tx_len += 1


@njit
def halt(console, code, how):
    """The guest turned the machine off: `code` 0 is success."""
    console.halted = 1
    console.code = code
    console.how = how


