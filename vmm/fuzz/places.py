"""Answers for where the devices are, for guests that mean to touch them.

Must not know what a guest does there.
"""

from hypothesis import strategies as st

from toyisa import plic
from toyisa.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, VIRTIO, VIRTIO_SLOTS

_PLIC = st.one_of(
    st.integers(0, plic.SOURCES).map(lambda n: plic.PRIORITY + 4 * n),
    st.sampled_from([plic.PENDING, plic.ENABLED, plic.THRESHOLD, plic.CLAIM, plic.SIZE]),
)
_VIRTIO = st.builds(
    lambda slot, at: slot * PAGE + at, st.integers(0, VIRTIO_SLOTS), st.integers(0, 0x110)
)

# Their registers, odd places in them, and what lies right behind.
devices = st.one_of(
    st.integers(0, 12).map(lambda at: UART + at),
    st.sampled_from([FINISHER, FINISHER + 2, FINISHER + PAGE]),
    _PLIC.map(lambda at: PLIC_BASE + at),
    _VIRTIO.map(lambda at: VIRTIO + at),
)

# Entries that map devices, for S or U, and one of tables in place of a leaf.
device_entries = st.builds(
    lambda at, flags: at >> 12 << 10 | flags,
    devices, st.sampled_from([0xC7, 0xD7, 0xDF, 0x07, 0x03, 0x01]),
)  # fmt: skip

# What is no RAM of the guest's: right before it, right behind.
edges = st.sampled_from([RAM_BASE - PAGE, RAM_BASE - 4])
