"""Answers for how often each instruction ran, from what the interpreter's loop counts by run.

The loop counts no instruction.  For each place of a page's micro-ops it keeps

    flow   how many runs began here, less those that ended before
    edge   how many times the near branch here was taken
    cum    the cycles of the page's instructions before this one

So an instruction ran as often as runs began at or before it and had not ended.  *Folding*
moves these counts into a hart's own counts, by op.  What was counted belongs to the hart that
ran last, so before another hart runs, everything must be folded.  Must not know when a page
is decoded, nor when its code changes (`decodepool.py`), which also folds before an op changes.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.memory import NO_FRAME, STRIDE, WORDS, pool_of
from toyisa.core.work import FOLD


@njit
def fold(hart, mem, slot):
    """Move a slot's run and edge counts into the hart's counts by op.

    A taken near branch ends a run behind itself, and begins one at its target.
    """
    pool = pool_of(mem)
    mem.work -= FOLD
    base = slot * STRIDE
    uops, flow, edge, count = pool.uops, pool.flow, pool.edge, hart.counts.op
    for i in range(base, base + WORDS):
        taken = edge[i]
        if taken:
            edge[i] = 0
            flow[i + 1] -= taken
            flow[i + (uops[i] >> 34)] += taken
    _count_aside(mem, slot)
    running = np.int64(0)
    for i in range(base, base + WORDS):
        running += flow[i]
        flow[i] = 0
        count[uops[i] & 0xFF] += running
    flow[base + WORDS] = 0


@njit
def fold_slots(hart, mem):
    """Fold every slot, so that the hart's counts are complete; the hart is stopped."""
    pool = pool_of(mem)
    for slot in range(pool.slots):
        if pool.owner[slot] != NO_FRAME:
            fold(hart, mem, slot)


@njit
def _count_aside(mem, slot):
    """Count the marked instructions of a slot, whose runs are about to be folded."""
    pool = pool_of(mem)
    aside = mem.aside
    page = pool.owner[slot] - aside.first
    if not 0 <= page < aside.frames:
        return
    marks = view(aside.marks, aside.frames * WORDS, np.uint8)
    running, marked = np.int64(0), np.int64(0)
    for n in range(WORDS):
        running += pool.flow[slot * STRIDE + n]
        marked += running * (marks[page * WORDS + n] & 1)
    aside.retired += marked


@njit
def fold_aside(hart, mem):
    """Fold the slots of frames that have marks; how many marked instructions have retired."""
    pool = pool_of(mem)
    first = mem.aside.first
    for frame in range(first, first + mem.aside.frames):
        slot = np.int64(pool.slot[frame]) - 1
        if slot >= 0:
            fold(hart, mem, slot)
    return np.int64(mem.aside.retired)


@njit
def sum_costs(hart, mem, slot, start):
    """Make `cum` true from instruction number `start` of the slot on."""
    pool = pool_of(mem)
    base = slot * STRIDE
    uops, cum, price = pool.uops, pool.cum, hart.price.op
    for i in range(base + start, base + WORDS):
        cum[i + 1] = cum[i] + price[uops[i] & 0xFF]
    pool.longest = max(pool.longest, cum[base + WORDS])


def counted(pool: np.record, slot: int) -> np.ndarray:
    """How often each word of a slot has run since it was folded; changes nothing."""
    base = slot * STRIDE
    flow = pool.flow[base : base + STRIDE].copy()
    edge = pool.edge[base : base + WORDS]
    taken = np.flatnonzero(edge)
    np.subtract.at(flow, taken + 1, edge[taken])
    targets = taken + (pool.uops[base + taken] >> 34)
    inside = (targets >= 0) & (targets < STRIDE)
    np.add.at(flow, targets[inside], edge[taken][inside])
    return np.maximum(np.cumsum(flow)[:WORDS], 0)
