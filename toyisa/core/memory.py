"""Answers for what lies behind physical addresses, and for the decode pool.

It is one record, which compiled code takes by address.  RAM lies beside it, since the user
chooses its size.  Must not know about virtual addresses (`mmu.py`) nor what a device does
(`mmio.py`).

    0x0010_0000  finisher         write 0x5555 to pass, 0x3333 to fail
    0x0C00_0000  PLIC             which device interrupts
    0x1000_0000  ns16550 UART     the console
    0x1000_1000  virtio           eight slots of a page, for disks
    0x8000_0000  RAM              `ram_size` bytes
"""

import mmap
from typing import NamedTuple

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.plic import PLIC
from toyisa.core.ram import RAM_BASE
from toyisa.core.state import ADDRESS, NEVER, record
from toyisa.tables.requests import Writer

PAGE = 4096
FINISHER = 0x0010_0000
PLIC_BASE = 0x0C00_0000
UART = 0x1000_0000
VIRTIO = 0x1000_1000
VIRTIO_SLOTS = 8
UART_SOURCE = 10  # of the PLIC; virtio slot n has source n + 1: as in QEMU's virt

# The decode pool: a slot holds a page of micro-ops.  STRIDE is one more than the number of
# instructions in a page: sums over a page's instructions end there.
WORDS = PAGE // 4
STRIDE = WORDS + 1
SLOTS = 1023
PLACES = 1 << 20  # SLOTS * STRIDE rounded up
NO_FRAME = -1

# Frame flags.
CODE = 1    # the frame has a decode slot: after a store the word must be decoded again
TOHOST = 2  # the frame holds the tohost word: a store may be for the host

TX_SIZE = 1 << 16
RX_SIZE = 1 << 12
LOOP_SIZE = 16  # the UART's own FIFO

CONSOLE = record(
    ("tx", "u1", TX_SIZE), ("tx_len", "i8"),
    ("rx", "u1", RX_SIZE), ("rx_head", "i8"), ("rx_tail", "i8"),
    ("ended", "i8"),      # no more input will come
    ("live", "i8"),       # a person types: an empty queue means that no key was pressed yet
    ("next_at", "i8"),    # virtual time at which the next byte arrives
    ("interval", "i8"),   # virtual time between two bytes
    ("halted", "i8"), ("code", "i8"), ("how", "i8"),
    ("tohost", "i8"), ("fromhost", "i8"),  # physical addresses of HTIF's doublewords, or -1
    ("halves", "i8"),     # which halves of tohost were stored since root obeyed it
    ("obey_at", "i8"),    # virtual time at which root looks at it, or NEVER
    ("lone_from", "i8"),  # 1 + the instructions retired when it first had only one half; or 0
    ("ier", "u1"), ("lcr", "u1"), ("scr", "u1"), ("mcr", "u1"), ("dll", "u1"), ("dlm", "u1"),
    ("emptied", "u1"),    # the transmitter has become empty, and nobody was told yet
    ("fifos", "u1"),      # the FIFOs are enabled
    ("rbr", "u1"),        # if they are not enabled, the last byte received
    ("overrun", "u1"),    # a byte was lost in loopback
    ("loop", "u1", LOOP_SIZE), ("loop_at", "u1"), ("looped", "u1"),  # sent in loopback, not read
)  # fmt: skip

# A load or store of a register that root keeps in Python: root does it, and retires the
# instruction.
REQUEST = record(
    ("pa", "i8"),         # -1: none
    ("write", "i8"), ("width", "i8"), ("value", "i8"),
    ("op", "i8"), ("rd", "i8"),
)  # fmt: skip

# Instructions that are to be counted apart: root may mark those that are not the guest's.
# `marks` are a byte for each word of the frames; bit 0 marks it.
ASIDE = record(
    ("marks", ADDRESS), ("first", "i8"), ("frames", "i8"),
    ("retired", "i8"),    # up to here the pool's counts were folded
)  # fmt: skip

LARGE = 64 << 20  # what uses so much RAM, uses it widely: it is faster in pages of 2 MiB
MAX_RAM = 2 << 30
MAX_FRAMES = MAX_RAM // PAGE

# What is decoded of RAM: see decodepool.py.
POOL = record(
    ("slot", "i4", MAX_FRAMES),         # a frame's decode slot, plus 1; 0 for none
    ("owner", "i4", SLOTS),             # a slot's frame, or NO_FRAME
    ("slots", "i8"),                    # slots ever used
    ("free", "i4", SLOTS), ("n_free", "i8"),  # those of them that were given back
    ("stores", "i4", SLOTS),            # stores to a slot's code since it was fetched from
    ("flushes", "i8"),                  # times that the pool was flushed
    ("epoch", "i8"),                    # counts changes that fast tags of all harts must follow
    ("invalidated", "i8", len(Writer)),  # how often decoded code was out of date, by who wrote
    ("longest", "i8"),                  # cycles of the page that has most
    ("uops", "i8", PLACES),             # micro-ops
    ("cum", "i8", PLACES),              # cycles of the page's instructions before this one
    ("flow", "i8", PLACES),             # runs that began here less those that ended before
    ("edge", "i8", PLACES),             # times that the near branch here was taken
    # The place to which a far jump here has gone; 0 none yet, -1 several: it is only a guess
    ("guess", "i8", PLACES),
)  # fmt: skip

MEMORY = record(
    ("ram", ADDRESS), ("ram_size", "i8"),  # RAM, and its bytes
    ("pool", ADDRESS),                  # of a POOL, or 0: none is decoded for a virtual hart
    ("execute", ADDRESS),               # of execute.py's unit
    ("serve", ADDRESS),                 # of the unit in serve.py
    ("manage_pool", ADDRESS),           # of decodepool.py's
    ("meter", ADDRESS),                 # of a meter.METER, or 0
    ("aside", ASIDE),
    ("work", "i8"),                     # units left until root must look: see work.py
    ("look", "i8"),                     # or the instret at which it must
    ("frame_flags", "u1", MAX_FRAMES),  # what the MMU must know of a frame
    ("console", CONSOLE), ("plic", PLIC), ("request", REQUEST),
)  # fmt: skip


def sparse(count: int, kind: np.dtype | type) -> np.ndarray:
    """`count` zeroed items; the operating system gives 4 KiB of them at a first touch.

    NumPy asks it for pages of 2 MiB: a machine that touches few places would hold megabytes.
    """
    size = max(count * np.dtype(kind).itemsize, 1)
    own = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(own, kind, count)


def new_ram(ram_size: int, large: bool | None = None) -> np.ndarray:
    """`ram_size` zeroed bytes, as words; a campaign has its own, between guards.

    `large`: the host gives them in pages of 2 MiB; by default, if there are many bytes.
    """
    large = ram_size >= LARGE if large is None else large
    return np.zeros(ram_size // 4, np.uint32) if large else sparse(ram_size // 4, np.uint32)


class Memory(NamedTuple):
    """A memory record and what it has the addresses of: whoever keeps the record keeps all."""

    record: np.record
    ram: np.ndarray  # bytes
    pools: np.ndarray  # one POOL


def new_memory(ram_size: int, large: bool | None = None) -> Memory:
    """Memory with `ram_size` zeroed bytes, a multiple of the page size."""
    made = Memory(sparse(1, MEMORY)[0], new_ram(ram_size, large).view(np.uint8), sparse(1, POOL))
    mem = made.record
    reset_memory(mem)
    mem.ram, mem.ram_size = made.ram.ctypes.data, ram_size
    mem.pool = made.pools.ctypes.data
    return made


def reset_memory(mem: np.record) -> None:
    """Make a memory record that is all zero the record of a machine without RAM."""
    console = mem.console
    console.tohost = console.fromhost = -1
    console.obey_at = NEVER
    console.mcr, console.dll = 0x08, 12  # OUT2, 9600 baud: as QEMU's
    mem.work = mem.look = NEVER
    mem.request.pa = -1


def place_tohost(mem: np.record, pa: int) -> None:
    """Put HTIF's `tohost` at physical `pa`, -1: nowhere.  Stores to its frame take the slow
    path.
    """
    frames = int(mem.ram_size) // PAGE
    mem.frame_flags[:frames] &= 0xFF ^ TOHOST
    mem.console.tohost = pa
    if pa >= 0:
        mem.frame_flags[(pa - RAM_BASE) // PAGE] |= TOHOST


@njit
def pool_of(mem):
    """The decode pool of a machine's memory."""
    return view(mem.pool, 1, POOL)[0]


@njit
def ram_bytes(mem):
    """RAM as bytes."""
    return view(mem.ram, mem.ram_size, np.uint8)


@njit
def ram_halves(mem):
    """RAM as half-words, little-endian."""
    return view(mem.ram, mem.ram_size >> 1, np.uint16)


@njit
def ram_words(mem):
    """RAM as words, little-endian."""
    return view(mem.ram, mem.ram_size >> 2, np.uint32)


@njit
def within(address, size, first, end):
    """Whether all of the `size` bytes at `address` lie at or above `first`, and below `end`.

    This is the only door for an address from a guest, a file or a debugger.  Nothing is added
    to the address and nothing is subtracted, so nothing wraps.  It is any 64-bit number;
    `size` is 0 .. 2**32, and so are the ends.
    """
    return first <= address <= end - size


@njit
def ram_offset(mem, pa, size):
    """The offset in RAM of `size` bytes at `pa`, any 64-bit number; -1 outside RAM."""
    inside = within(pa, size, RAM_BASE, RAM_BASE + mem.ram_size)
    return pa - RAM_BASE if inside else np.int64(-1)


@njit
def read_ram(mem, offset, size):
    """`size` (1, 2, 4) bytes at an aligned RAM offset, zero-extended."""
    if size == 4:
        return np.int64(ram_words(mem)[offset >> 2])
    if size == 2:
        return np.int64(ram_halves(mem)[offset >> 1])
    return np.int64(ram_bytes(mem)[offset])


@njit
def write_ram(mem, offset, size, value):
    """Store the low `size` bytes of `value`; the caller must update the decode pool."""
    if size == 4:
        ram_words(mem)[offset >> 2] = value & 0xFFFFFFFF
    elif size == 2:
        ram_halves(mem)[offset >> 1] = value & 0xFFFF
    else:
        ram_bytes(mem)[offset] = value & 0xFF


@njit
def receive_ready(console, now):
    """1: a byte can be read at virtual time `now`; 0: none; -1: root must be asked."""
    if now < console.next_at:
        return 0
    if console.rx_head != console.rx_tail:
        return 1
    if console.ended or console.live:
        return 0
    return -1


@njit
def receive(console, now):
    """Take the byte that `receive_ready` announced; the next one comes an interval later."""
    byte = np.int64(console.rx[console.rx_head & (RX_SIZE - 1)])
    console.rx_head += 1
    console.next_at = now + console.interval
    return byte


@njit
def transmit(console, byte):
    """Put a byte out; the caller has checked that the buffer is not full."""
    console.tx[console.tx_len & (TX_SIZE - 1)] = byte & 0xFF
    console.tx_len += 1


@njit
def halt(console, code, how):
    """The guest turned the machine off: `code` 0 is success."""
    console.halted = 1
    console.code = code
    console.how = how


