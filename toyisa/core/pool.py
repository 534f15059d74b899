"""Answers for the decode pool: which pages are decoded, where, and how often they ran.

A unit of its own (`njit.call_unit`): the rest asks it by its address.  A frame has a
slot in the pool from the first fetch in it until it is written like data, or the
pool is flushed.  Every store to such a frame comes here (`memory.CODE`), so the
micro-ops are always what RAM says: self-modifying code needs no more than the
manual's `fence.i`.
"""

from enum import IntEnum

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit, view
from toyisa.core.decode import decode, first_op, pair
from toyisa.core.memory import CODE, NO_FRAME, PAGE, SLOTS, STRIDE, WORDS, ram_words
from toyisa.core.state import NO_TAG
from toyisa.core.work import DECODE, FOLD, PATCH
from toyisa.tables.ops import Op

BECAME_DATA = 32  # stores to a page of code, not fetched from in between


class PoolRequest(IntEnum):
    """The first argument of `manage_pool`."""

    SLOT = 0    # the slot of the frame `first`
    STORED = 1  # RAM at the offset `first` has changed
    FOLD = 2
    FLUSH = 3
    WRITTEN = 4  # `second` words from the offset `first` on have changed, and are code
    ASIDE = 5    # how many marked instructions have retired (`memory.ASIDE`)


@njit
def _fold(hart, mem, slot):
    """Move a slot's run and edge counts into the hart's counts by op.

    An instruction ran as often as runs began at or before it and had not ended;
    a taken near branch ends a run behind itself and begins one at its target.
    """
    mem.work -= FOLD
    base = slot * STRIDE
    uops, flow, edge, count = mem.uops, mem.flow, mem.edge, hart.counts.op
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
def _count_aside(mem, slot):
    """Count the marked instructions of a slot, whose runs are about to be folded."""
    aside = mem.aside
    page = mem.owner[slot] - aside.first
    if not 0 <= page < aside.frames:
        return
    marks = view(aside.marks, aside.frames * WORDS, np.uint8)
    running, marked = np.int64(0), np.int64(0)
    for n in range(WORDS):
        running += mem.flow[slot * STRIDE + n]
        marked += running * (marks[page * WORDS + n] & 1)
    aside.retired += marked


@njit
def _fold_aside(hart, mem):
    """Fold the slots of frames that have marks; how many marked instructions have retired."""
    first = mem.aside.first
    for frame in range(first, first + mem.aside.frames):
        slot = np.int64(mem.slot[frame]) - 1
        if slot >= 0:
            _fold(hart, mem, slot)
    return np.int64(mem.aside.retired)


@njit
def _fold_all(hart, mem):
    """Fold every slot, so that the hart's counts are complete; the hart is stopped."""
    for slot in range(mem.slots):
        if mem.owner[slot] != NO_FRAME:
            _fold(hart, mem, slot)


@njit
def _sum_costs(hart, mem, slot, start):
    """Make `cum` true from instruction number `start` of the slot on."""
    base = slot * STRIDE
    uops, cum, price = mem.uops, mem.cum, hart.price.op
    for i in range(base + start, base + WORDS):
        cum[i + 1] = cum[i] + price[uops[i] & 0xFF]


@njit
def _give_back(hart, mem, slot):
    """The slot's frame holds code no more: stores to it are plain again."""
    _fold(hart, mem, slot)
    frame = mem.owner[slot]
    mem.slot[frame] = 0
    mem.frame_flags[frame] &= 0xFF ^ CODE
    mem.owner[slot] = NO_FRAME
    mem.free[mem.n_free] = slot
    mem.n_free += 1


@njit
def _flush(hart, mem):
    """Empty the pool: every frame is decoded again when it is next fetched from."""
    for slot in range(mem.slots):
        if mem.owner[slot] != NO_FRAME:
            _give_back(hart, mem, slot)
    mem.flushes += 1
    hart.tlb.xtag[:] = NO_TAG


@njit
def _take_slot(hart, mem):
    if mem.n_free == 0 and mem.slots == SLOTS:
        _flush(hart, mem)
    if mem.n_free > 0:
        mem.n_free -= 1
        return np.int64(mem.free[mem.n_free])
    mem.slots += 1
    return mem.slots - 1


@njit
def _slot_of(hart, mem, frame):
    """The frame's slot in the pool, decoding the page if it has none."""
    slot = np.int64(mem.slot[frame]) - 1
    if slot >= 0:
        mem.stores[slot] = 0
        return slot
    mem.work -= DECODE
    slot = _take_slot(hart, mem)
    mem.owner[slot] = frame
    mem.slot[frame] = slot + 1
    mem.stores[slot] = 0
    mem.frame_flags[frame] |= CODE
    base = slot * STRIDE
    words = ram_words(mem)
    for place in range(WORDS):
        mem.uops[base + place] = decode(np.int64(words[frame * WORDS + place]), place)
    for i in range(base, base + WORDS - 1):
        pair(mem, i)
    mem.uops[base + WORDS] = Op.STOP
    mem.cum[base] = 0
    _sum_costs(hart, mem, slot, 0)
    # Stores to the frame must be seen from now on.
    for e in range(hart.tlb.dmask + 1):
        if np.int64(hart.tlb.frame_at[e]) == frame * PAGE:
            hart.tlb.wtag[e] = NO_TAG
    return slot


@njit
def _stored(hart, mem, offset):
    """RAM at `offset` in a frame with CODE has changed: decode the word again.

    No run may be open in the slot: the caller has closed its own.  A frame that is
    written again and again without being fetched from has become data.
    """
    frame = offset // PAGE
    slot = np.int64(mem.slot[frame]) - 1
    if slot < 0:
        return
    mem.stores[slot] += 1
    if mem.stores[slot] >= BECAME_DATA and frame != hart.fetch.frame:
        _give_back(hart, mem, slot)
        hart.tlb.xtag[: hart.tlb.imask + 1] = NO_TAG
        return
    mem.work -= PATCH
    place = (offset & (PAGE - 1)) >> 2
    i = slot * STRIDE + place
    old = mem.uops[i]
    new = decode(np.int64(ram_words(mem)[offset >> 2]), place)
    if new == old & ~0xFF | first_op(old):
        return
    if first_op(old) != new & 0xFF or mem.edge[i]:
        _fold(hart, mem, slot)  # what was counted here, ran the old op
    mem.uops[i] = new
    if place < WORDS - 1:
        pair(mem, i)
    if place > 0:
        pair(mem, i - 1)
    if hart.price.op[old & 0xFF] != hart.price.op[new & 0xFF]:
        _sum_costs(hart, mem, slot, place)


@njit
def _written(hart, mem, offset, count):
    """Root has written `count` words of code within a page: decode them, and count as before."""
    slot = np.int64(mem.slot[offset // PAGE]) - 1
    if slot < 0:
        return
    mem.work -= PATCH
    _fold(hart, mem, slot)
    place = (offset & (PAGE - 1)) >> 2
    base = slot * STRIDE
    for i in range(place, place + count):
        mem.uops[base + i] = decode(np.int64(ram_words(mem)[(offset >> 2) + i - place]), i)
    for i in range(max(place - 1, 0), min(place + count, WORDS - 1)):
        pair(mem, base + i)
    _sum_costs(hart, mem, slot, place)


@entry
def manage_pool(hart, mem, request, first, second):
    """Do what `request` (PoolRequest) says; a slot, or 0."""
    if request == PoolRequest.SLOT:
        return _slot_of(hart, mem, first)
    if request == PoolRequest.STORED:
        _stored(hart, mem, first)
    elif request == PoolRequest.WRITTEN:
        _written(hart, mem, first, second)
    elif request == PoolRequest.ASIDE:
        return _fold_aside(hart, mem)
    elif request == PoolRequest.FOLD:
        _fold_all(hart, mem)
    elif request == PoolRequest.FLUSH:
        _flush(hart, mem)
    return np.int64(0)


@njit
def slot_of(hart, mem, frame):
    """The frame's slot in the pool, decoding the page if it has none."""
    return call_unit(mem.manage_pool, hart, mem, PoolRequest.SLOT, frame, 0)


@njit
def stored(hart, mem, offset):
    """RAM at `offset` in a frame with CODE has changed: decode the word again.

    No run may be open in the slot: the caller has closed its own.
    """
    call_unit(mem.manage_pool, hart, mem, PoolRequest.STORED, offset, 0)


@njit
def retired_aside(hart, mem):
    """How many marked instructions have retired; 0 where root marks none."""
    if mem.aside.frames == 0:
        return np.int64(0)
    return call_unit(mem.manage_pool, hart, mem, PoolRequest.ASIDE, 0, 0)


@njit
def settle(hart, mem):
    """Decode again the word that the MMU changed while a run was open, if any."""
    if mem.stale >= 0:
        stored(hart, mem, mem.stale)
        mem.stale = -1


def fold_all(hart: np.record, mem: np.record) -> None:
    """Make the hart's counts by op complete; for Python, with the hart stopped."""
    manage_pool(hart, mem, int(PoolRequest.FOLD), 0, 0)


def flush_pool(hart: np.record, mem: np.record) -> None:
    """Empty the pool: every page is decoded again; for Python, with the hart stopped."""
    manage_pool(hart, mem, int(PoolRequest.FLUSH), 0, 0)
