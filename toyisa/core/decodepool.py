"""Answers for the decode pool: which pages are decoded, where, and when that is out of date.

It is a unit of its own (`njit.call_unit`); other code calls it by its address.  A frame has a
slot in the pool from the first fetch in it until stores show that it has become data, or the
pool is flushed.

`invalidate` is the only door for whatever changes RAM, harts and hosts alike.  While a frame
has a slot (`memory.CODE`), every store to it comes here, so the micro-ops are always what RAM
says: self-modifying code needs no more than the manual's `fence.i`.

Harts share the pool, and run one after the other: while one runs, no other has a run open.
What a run keeps open, a STOP in the slot and a word to decode again (`hart.stale`), belongs
to its hart, and is settled when the run is closed.  Fast tags depend on slots, and on frames
having no code.  When they become wrong, the hart that runs drops its own, and `epoch` tells
the others to drop theirs before they run.  Must not know how instructions are counted
(`runcounts.py`).
"""

from enum import IntEnum

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit
from toyisa.core.decode import decode, first_op, fuse
from toyisa.core.memory import CODE, NO_FRAME, PAGE, SLOTS, STRIDE, WORDS, pool_of, ram_words
from toyisa.core.runcounts import fold, fold_aside, fold_slots, sum_costs
from toyisa.core.state import NO_TAG
from toyisa.core.tlb import drop_fast_tags
from toyisa.core.work import DECODE, PATCH
from toyisa.tables.ops import Op
from toyisa.tables.requests import Writer

BECAME_DATA = 32  # stores to a page of code, without a fetch in between


class PoolRequest(IntEnum):
    """The first argument of `manage_pool`; what the other two mean, and the answer."""

    SLOT = 0        # the frame, -; its slot
    FOLD = 1        # -, -; 0
    FLUSH = 2       # -, -; 0
    ASIDE = 3       # -, -; how many marked instructions have retired (`memory.ASIDE`)
    INVALIDATE = 4  # and above, 4 + a Writer: the offset in RAM, how many bytes; 0


@njit
def _give_back(hart, mem, slot):
    """The slot's frame holds code no more: stores to it are plain again."""
    pool = pool_of(mem)
    fold(hart, mem, slot)
    frame = pool.owner[slot]
    pool.slot[frame] = 0
    mem.frame_flags[frame] &= 0xFF ^ CODE
    pool.owner[slot] = NO_FRAME
    pool.free[pool.n_free] = slot
    pool.n_free += 1
    hart.tlb.xtag[: hart.tlb.imask + 1] = NO_TAG
    _tell_harts(hart, mem)


@njit
def _tell_harts(hart, mem):
    """Fast tags of other harts may be wrong by now; those of this one have been dropped."""
    pool = pool_of(mem)
    pool.epoch += 1
    hart.tlb.epoch = pool.epoch


@njit
def _follow(hart, mem):
    """Drop the hart's fast tags if other harts have changed what they rest on."""
    pool = pool_of(mem)
    if hart.tlb.epoch != pool.epoch:
        drop_fast_tags(hart)
        hart.tlb.epoch = pool.epoch


@njit
def _flush(hart, mem):
    """Empty the pool: every frame is decoded again when it is next fetched from."""
    pool = pool_of(mem)
    for slot in range(pool.slots):
        if pool.owner[slot] != NO_FRAME:
            _give_back(hart, mem, slot)
    pool.flushes += 1


@njit
def _take_slot(hart, mem):
    pool = pool_of(mem)
    if pool.n_free == 0 and pool.slots == SLOTS:
        _flush(hart, mem)
    if pool.n_free > 0:
        pool.n_free -= 1
        return np.int64(pool.free[pool.n_free])
    pool.slots += 1
    return pool.slots - 1


@njit
def _slot_of(hart, mem, frame):
    """The frame's slot in the pool, decoding the page if it has none."""
    pool = pool_of(mem)
    slot = np.int64(pool.slot[frame]) - 1
    if slot >= 0:
        pool.stores[slot] = 0
        return slot
    mem.work -= DECODE
    slot = _take_slot(hart, mem)
    pool.owner[slot] = frame
    pool.slot[frame] = slot + 1
    pool.stores[slot] = 0
    mem.frame_flags[frame] |= CODE
    base = slot * STRIDE
    words = ram_words(mem)
    for place in range(WORDS):
        pool.uops[base + place] = decode(np.int64(words[frame * WORDS + place]), place)
    pool.guess[base : base + STRIDE] = 0
    pool.uops[base + WORDS] = Op.NEXT
    fuse(pool, base, base, base + WORDS - 1)
    pool.cum[base] = 0
    sum_costs(hart, mem, slot, 0)
    # From now on stores to the frame must be noticed.
    for e in range(hart.tlb.dmask + 1):
        if np.int64(hart.tlb.frame_at[e]) == frame * PAGE:
            hart.tlb.wtag[e] = NO_TAG
    _tell_harts(hart, mem)
    return slot


@njit
def _stored(hart, mem, slot, offset):
    """A hart, or root for it, has stored to the word at `offset`: decode it again.

    A frame that is written again and again without being fetched from has become data.
    """
    pool = pool_of(mem)
    pool.stores[slot] += 1
    if pool.stores[slot] >= BECAME_DATA and pool.owner[slot] != hart.fetch.frame:
        _give_back(hart, mem, slot)
        return
    mem.work -= PATCH
    place = (offset & (PAGE - 1)) >> 2
    i = slot * STRIDE + place
    old = pool.uops[i]
    new = decode(np.int64(ram_words(mem)[offset >> 2]), place)
    if new == old & ~0xFF | first_op(old):
        return
    if first_op(old) != new & 0xFF or pool.edge[i]:
        fold(hart, mem, slot)  # what was counted here, ran the old op
    pool.uops[i], pool.guess[i] = new, 0
    fuse(pool, slot * STRIDE, i, i)
    if hart.price.op[old & 0xFF] != hart.price.op[new & 0xFF]:
        sum_costs(hart, mem, slot, place)


@njit
def _decode_again(hart, mem, slot, first, last):
    """Decode the words `first` to `last` of a slot's page again; they count as before."""
    pool = pool_of(mem)
    mem.work -= PATCH
    fold(hart, mem, slot)
    base = slot * STRIDE
    at = pool.owner[slot] * WORDS
    for place in range(first, last + 1):
        pool.uops[base + place] = decode(np.int64(ram_words(mem)[at + place]), place)
        pool.guess[base + place] = 0
    fuse(pool, base, base + first, base + last)
    sum_costs(hart, mem, slot, first)


@njit
def _outdated(hart, mem, slot, offset, size, writer):
    """`size` bytes of the slot's page from `offset` on have changed."""
    pool = pool_of(mem)
    pool.invalidated[writer] += 1
    if writer == Writer.HART or writer == Writer.WALK:
        _stored(hart, mem, slot, offset)
    elif size == PAGE:
        _give_back(hart, mem, slot)
    else:
        _decode_again(
            hart, mem, slot, (offset & PAGE - 1) >> 2, (offset + size - 1 & PAGE - 1) >> 2
        )  # fmt: skip


@njit
def _invalidate(hart, mem, offset, size, writer):
    """`size` bytes of RAM from `offset` on have changed; all of them lie in RAM."""
    pool = pool_of(mem)
    first, last = offset // PAGE, (offset + size - 1) // PAGE
    if first == last:
        slot = np.int64(pool.slot[first]) - 1
        if slot >= 0:
            _outdated(hart, mem, slot, offset, size, writer)
        return
    for slot in range(pool.slots):
        frame = np.int64(pool.owner[slot])
        if first <= frame <= last:
            start = max(offset, frame * PAGE)
            end = min(offset + size, (frame + 1) * PAGE)
            _outdated(hart, mem, slot, start, end - start, writer)


@entry
def manage_pool(hart, mem, request, first, second):
    """Do what `request` (PoolRequest) says, for this hart; nothing for one without a pool."""
    if mem.pool == 0:  # a virtual hart's: what it runs is decoded for a real one
        return np.int64(0)
    _follow(hart, mem)
    if request == PoolRequest.SLOT:
        return _slot_of(hart, mem, first)
    if request >= PoolRequest.INVALIDATE:
        _invalidate(hart, mem, first, second, request - PoolRequest.INVALIDATE)
    elif request == PoolRequest.ASIDE:
        return fold_aside(hart, mem)
    elif request == PoolRequest.FOLD:
        fold_slots(hart, mem)
    elif request == PoolRequest.FLUSH:
        _flush(hart, mem)
    return np.int64(0)


@njit
def slot_of(hart, mem, frame):
    """The frame's slot in the pool, decoding the page if it has none."""
    return call_unit(mem.manage_pool, hart, mem, PoolRequest.SLOT, frame, 0)


@njit
def invalidate(hart, mem, offset, size, writer):
    """`writer`, a Writer, has changed `size` bytes of RAM at `offset`.

    Their decoded form is out of date, for every hart.  No run may be open.
    """
    call_unit(mem.manage_pool, hart, mem, PoolRequest.INVALIDATE + writer, offset, size)


@njit
def fold_counts(hart, mem):
    """Make the hart's counts by op complete; no run may be open."""
    call_unit(mem.manage_pool, hart, mem, PoolRequest.FOLD, 0, 0)


@njit
def retired_aside(hart, mem):
    """How many marked instructions have retired; 0 if root marks none."""
    if mem.aside.frames == 0:
        return np.int64(0)
    return call_unit(mem.manage_pool, hart, mem, PoolRequest.ASIDE, 0, 0)


@njit
def settle(hart, mem):
    """Decode the word again, if any, that a walk changed while the hart's run was open."""
    if hart.stale >= 0:
        invalidate(hart, mem, hart.stale, 4, np.int64(Writer.WALK))
        hart.stale = -1


# The same for Python, with the harts stopped.


def invalidate_range(hart: np.record, mem: np.record, offset: int, size: int, writer: Writer):
    """`writer` has changed `size` bytes of RAM at `offset`."""
    frames = mem.frame_flags[offset // PAGE : -(-(offset + size) // PAGE)]
    if size and (frames & CODE).any():
        manage_pool(hart, mem, int(PoolRequest.INVALIDATE + writer), offset, size)


def fold_all(hart: np.record, mem: np.record) -> None:
    """Make the hart's counts by op complete."""
    manage_pool(hart, mem, int(PoolRequest.FOLD), 0, 0)


def flush_pool(hart: np.record, mem: np.record) -> None:
    """Empty the pool: every page is decoded again."""
    manage_pool(hart, mem, int(PoolRequest.FLUSH), 0, 0)
