"""Answers for where the devices are, and how hostile guests touch them.

Must not know what else such a guest does.
"""

import struct

from hypothesis import strategies as st

from toyisa.core import plic
from toyisa.core.memory import (
    FINISHER,
    PAGE,
    PLIC_BASE,
    RAM_BASE,
    UART,
    UART_SOURCE,
    VIRTIO,
    VIRTIO_SLOTS,
)  # fmt: skip
from toyisa.tables.bits import SIE_SEIE, SSTATUS_SIE
from toyisa.testing.code import Code

_PLIC = st.one_of(
    st.integers(0, plic.SOURCES).map(lambda n: plic.PRIORITY + 4 * n),
    st.sampled_from([plic.PENDING, plic.ENABLED, plic.THRESHOLD, plic.CLAIM, plic.SIZE]),
)
_VIRTIO = st.builds(
    lambda slot, at: slot * PAGE + at, st.integers(0, VIRTIO_SLOTS), st.integers(0, 0x110)
)

# Their registers, odd places in them, and the bytes right after.
devices = st.one_of(
    st.integers(0, 12).map(lambda at: UART + at),
    st.sampled_from([FINISHER, FINISHER + 2, FINISHER + PAGE]),
    _PLIC.map(lambda at: PLIC_BASE + at),
    _VIRTIO.map(lambda at: VIRTIO + at),
)

# Entries that map devices, for S or U, and an entry for tables in place of a leaf.
device_entries = st.builds(
    lambda at, flags: at >> 12 << 10 | flags,
    devices, st.sampled_from([0xC7, 0xD7, 0xDF, 0x07, 0x03, 0x01]),
)  # fmt: skip

# Just before the guest's RAM, where it has none.
edges = st.sampled_from([RAM_BASE - PAGE, RAM_BASE - 4])

_TOUCHES = ("lw", "sw", "sw", "lb", "lbu", "sb", "sb", "lhu", "sh")
SEIE, SIE = SIE_SEIE, SSTATUS_SIE


@st.composite
def touches(draw: st.DrawFn) -> list[int]:
    """Words that load or store a device register, or cause the console's interrupt."""
    code = Code()
    if draw(st.integers(0, 7)) == 7:
        _console_interrupts(code)
        return code.words()
    code.li(30, draw(devices))
    if draw(st.booleans()):
        code.li(31, draw(st.sampled_from([0, 1, 2, 3, 7, 0x80, 0x3333, 0x5555, 0xFFFFFFFF])))
    code.e(draw(st.sampled_from(_TOUCHES)), 31, 0, 30)
    return code.words()


def _console_interrupts(code: Code) -> None:
    """Let the console interrupt S, which it does as long as it has nothing to send."""
    for register, value in (
        (plic.PRIORITY + 4 * UART_SOURCE, 1), (plic.ENABLED, 1 << UART_SOURCE),
        (plic.THRESHOLD, 0),
    ):  # fmt: skip
        code.li(30, PLIC_BASE + register).li(31, value).e("sw", 31, 0, 30)
    code.li(30, UART).li(31, 2).e("sb", 31, 1, 30)
    code.li(31, SEIE).e("csrrs", 0, "sie", 31).e("csrrsi", 0, "sstatus", SIE)


def table(flags: int) -> bytes:
    """A root table that maps RAM and all devices to themselves, by superpages."""
    entries = [0] * 1024
    for place in (FINISHER, PLIC_BASE, UART, RAM_BASE):
        entries[place >> 22] = place >> 22 << 20 | flags
    return struct.pack("<1024I", *entries)


def skip() -> bytes:
    """A trap handler that skips the instruction that trapped."""
    code = Code().e("csrrw", 5, "sscratch", 5).e("csrrs", 5, "sepc", 0).e("addi", 5, 5, 4)
    code.e("csrrw", 0, "sepc", 5).e("csrrw", 5, "sscratch", 5).e("sret")
    return struct.pack(f"<{len(code)}I", *code.words())
