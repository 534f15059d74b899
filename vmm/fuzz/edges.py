"""Answers for numbers at the edges: around powers of two, around the borders of memory, and
wraps.

Strategies for words, pairs of words, frame numbers, entries.  Must not know who uses them.
"""

from hypothesis import strategies as st

from toyisa.core import plic
from toyisa.core.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, VIRTIO, VIRTIO_SLOTS

MEM = 1 << 20
END = RAM_BASE + MEM
M32, M64, PPN = (1 << 32) - 1, (1 << 64) - 1, (1 << 22) - 1

# The guest's tables, which at first map everything to itself by superpages; and pages of its own.
ROOT, LEAF, PAGES = RAM_BASE + 0x10000, RAM_BASE + 0x11000, RAM_BASE + 0x18000
WINDOW = 0x0040_0000  # the 4 MiB that LEAF maps

_NEAR = (-PAGE, -9, -8, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 7, 8, PAGE)
_PLACES = (
    RAM_BASE, END, ROOT, LEAF, PAGES, WINDOW, UART, UART + 8, FINISHER, FINISHER + 4, PLIC_BASE,
    PLIC_BASE + 4 * plic.SOURCES, PLIC_BASE + plic.CLAIM, PLIC_BASE + plic.SIZE,
    VIRTIO, VIRTIO + PAGE, VIRTIO + VIRTIO_SLOTS * PAGE,
)  # fmt: skip
# Where a sum with RAM's base or its end no longer fits in 63 or 64 bits.
_WRAPS = tuple(wrap + place for wrap in (1 << 63, 1 << 64) for place in
               (RAM_BASE, END, -RAM_BASE, -END, MEM, -MEM))  # fmt: skip
LIMITS = (END, 1 << 32, 1 << 63, (1 << 63) + RAM_BASE, 1 << 64, (1 << 64) + RAM_BASE)


def _around(places: st.SearchStrategy[int], mask: int) -> st.SearchStrategy[int]:
    return st.builds(lambda place, near: (place + near) & mask, places, st.sampled_from(_NEAR))


def _power(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, bits).map(lambda k: 1 << k)


sizes = st.one_of(st.sampled_from([0, 1, 2, 4, 8, PAGE, MEM, M32]), _around(_power(32), M32))
words = st.one_of(
    _around(st.sampled_from(_PLACES), M32), _around(_power(32), M32), st.integers(0, M32)
)
# A physical address in 64 bits, valid or not.
longs = st.one_of(
    _around(st.sampled_from(_PLACES), M64), _around(_power(64), M64),
    _around(st.sampled_from(_WRAPS), M64), st.integers(0, M64),
)  # fmt: skip
frames = st.one_of(
    st.builds(lambda at, n: (at // PAGE + n) & PPN, st.sampled_from(_PLACES), st.integers(-1, 1)),
    st.builds(lambda k, n: ((1 << k) + n) & PPN, st.integers(0, 22), st.integers(-1, 1)),
    st.sampled_from([0x3FFC00, 0x3FF800, 0x80000, 0x80400, 0x7FC00]),
)  # fmt: skip
flags = st.sampled_from([0xCF, 0xDF, 0xC7, 0x0F, 0xC3, 0x01, 0x41, 0xCB, 0x00])
entries = st.builds(lambda frame, bits: frame << 10 | bits, frames, flags)
# Addresses at the window and the pages beside it.
mapped = st.builds(lambda page, at: (WINDOW + page * PAGE + at) & M32, st.sampled_from(
    [0, 0, 0, 1, 1022, 1023]), st.sampled_from([0, 0, 4, 2048, PAGE - 4, PAGE - 2, PAGE - 1]),
)  # fmt: skip
