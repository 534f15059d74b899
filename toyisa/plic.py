"""Answers for the platform-level interrupt controller: which source interrupts S.

Source: RISC-V PLIC specification 1.0, laid out as in QEMU's `virt`.  Context 1 is
S of hart 0; context 0, its M level, does not exist here: it reads zero.  Must not
know what drives the lines (`devices.py`, `virtio.py`).

    +0x00_0000  priority of source n, a word each; 0 never interrupts
    +0x00_1000  pending, a bit a source
    +0x00_2080  enabled for S, a bit a source
    +0x20_1000  threshold of S: priorities up to it do not interrupt
    +0x20_1004  read: claim a source; write: it is completed

A source is level-triggered.  Its gateway sends one request, which stays pending
until it is claimed, "even if the device deasserts"; the next comes after completion.
"""

import numpy as np

from toyisa.njit import njit
from toyisa.state import record

SOURCES = 32  # 0 is none
MAX_PRIORITY = 7
SIZE = 0x40_0000

PRIORITY, PENDING, ENABLED = 0, 0x1000, 0x2080
THRESHOLD, CLAIM = 0x20_1000, 0x20_1004

PLIC = record(
    ("priority", "u4", SOURCES),
    ("lines", "u4"),      # levels that devices drive, a bit a source
    ("pending", "u4"), ("enabled", "u4"),
    ("claimed", "u4"),    # claimed and not yet completed: the gateway is closed
    ("threshold", "u4"),
)  # fmt: skip


@njit
def _first(plic, above):
    """The source pending, enabled and of the highest priority over `above`; 0: none."""
    waiting = np.int64(plic.pending) & np.int64(plic.enabled)
    chosen = 0
    if waiting:
        for source in range(1, SOURCES):
            priority = np.int64(plic.priority[source])
            if waiting >> source & 1 and priority > above:  # ties go to the lowest number
                chosen, above = source, priority
    return chosen


@njit
def sense(plic):
    """Let requests through the open gateways; whether S is interrupted."""
    requests = np.int64(plic.lines) & ~np.int64(plic.claimed)
    plic.pending = np.int64(plic.pending) | requests
    return _first(plic, np.int64(plic.threshold)) != 0


@njit
def load(plic, offset):
    """Read the register at `offset`, a multiple of 4; a read of CLAIM claims."""
    if offset < PRIORITY + 4 * SOURCES:
        return np.int64(plic.priority[offset >> 2 & SOURCES - 1])
    if offset == PENDING:
        return np.int64(plic.pending)
    if offset == ENABLED:
        return np.int64(plic.enabled)
    if offset == THRESHOLD:
        return np.int64(plic.threshold)
    if offset != CLAIM:
        return np.int64(0)
    # "The claim operation is not affected by the setting of the priority threshold."
    source = np.int64(_first(plic, 0))
    bit = np.int64(1) << source & ~1
    plic.pending = np.int64(plic.pending) & ~bit
    plic.claimed = np.int64(plic.claimed) | bit
    return source


@njit
def store(plic, offset, value):
    """Write the register at `offset`, a multiple of 4; a write to CLAIM completes."""
    if 0 < offset < PRIORITY + 4 * SOURCES:
        plic.priority[offset >> 2 & SOURCES - 1] = value & MAX_PRIORITY
    elif offset == ENABLED:
        plic.enabled = value & 0xFFFFFFFE
    elif offset == THRESHOLD:
        plic.threshold = value & MAX_PRIORITY
    elif offset == CLAIM and 0 <= value < SOURCES and np.int64(plic.enabled) >> value & 1:
        # "If the completion ID does not match an interrupt source that is currently
        # enabled for the target, the completion is silently ignored."
        plic.claimed = np.int64(plic.claimed) & ~(np.int64(1) << value)
