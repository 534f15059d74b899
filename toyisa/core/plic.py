"""Answers for the platform-level interrupt controller: which source interrupts S.

Source: RISC-V PLIC specification 1.0, laid out as in QEMU's `virt`.  Context 1 is S of hart
0; context 0, its M level, does not exist here: it reads zero.  Must not know what drives the
lines (`mmio.py`, `virtio.py`).

The registers are accessed in Python, by `bus.py`: they are rarely needed, and so need not be
compiled.  What follows from the lines is in `mmio.attend`.

    +0x00_0000  priority of source n, a word each; 0 never interrupts
    +0x00_1000  pending, a bit a source
    +0x00_2080  enabled for S, a bit a source
    +0x20_1000  threshold of S: priorities up to it do not interrupt
    +0x20_1004  read: claim a source; write: it is completed

A source is level-triggered.  Its gateway sends one request, which stays pending until it is
claimed, "even if the device deasserts"; the next comes after completion.
"""

import numpy as np

from toyisa.core.state import record

SOURCES = 32  # 0 is none
MAX_PRIORITY = 7
SIZE = 0x40_0000

PRIORITY, PENDING, ENABLED = 0, 0x1000, 0x2080
THRESHOLD, CLAIM = 0x20_1000, 0x20_1004

PLIC = record(
    ("priority", "u4", SOURCES),
    ("lines", "u4"),      # levels that devices drive, one bit for each source
    ("pending", "u4"), ("enabled", "u4"),
    ("claimed", "u4"),    # claimed and not yet completed: the gateway is closed
    ("threshold", "u4"),
    ("urgent", "u4"),     # enabled, and of a priority above the threshold
)  # fmt: skip


def load(plic: np.record, offset: int) -> int:
    """Read the register at `offset`, a multiple of 4; a read of CLAIM claims."""
    if offset < PRIORITY + 4 * SOURCES:
        return int(plic.priority[offset >> 2])
    if offset == CLAIM:
        return _claim(plic)
    field = {PENDING: "pending", ENABLED: "enabled", THRESHOLD: "threshold"}.get(offset)
    return int(plic[field]) if field else 0


def _claim(plic: np.record) -> int:
    """Take the pending source with the highest priority, and of these the lowest; 0: none.

    "The claim operation is not affected by the setting of the priority threshold."
    """
    waiting = int(plic.pending) & int(plic.enabled)
    sources = [n for n in range(1, SOURCES) if waiting >> n & 1 and plic.priority[n]]
    source = max(sources, key=lambda n: (plic.priority[n], -n), default=0)
    if source:
        plic.pending = int(plic.pending) & ~(1 << source)
        plic.claimed = int(plic.claimed) | 1 << source
    return source


def store(plic: np.record, offset: int, value: int) -> None:
    """Write the register at `offset`, a multiple of 4; a write to CLAIM completes."""
    if PRIORITY < offset < PRIORITY + 4 * SOURCES:
        plic.priority[offset >> 2] = value & MAX_PRIORITY
    elif offset == ENABLED:
        plic.enabled = value & ~1
    elif offset == THRESHOLD:
        plic.threshold = value & MAX_PRIORITY
    elif offset == CLAIM and value < SOURCES and int(plic.enabled) >> value & 1:
        # "If the completion ID does not match an interrupt source that is currently
        # enabled for the target, the completion is silently ignored."
        plic.claimed = int(plic.claimed) & ~(1 << value)
    above = sum(1 << n for n in range(SOURCES) if plic.priority[n] > plic.threshold)
    plic.urgent = int(plic.enabled) & above
