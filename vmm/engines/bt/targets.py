"""Answers for what root does when an indirect jump has a target that it has not had before.

Root writes the target into a comparison.  For a second target it makes a fan.  For a target
whose bucket holds another one, it makes a place behind the bucket.  The code of all this is
in `indirect.py` and `buckets.py`.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import WORDS, ram_words
from vmm.engines.bt.buckets import MISS, NONE, bucket_of, fill, held_by
from vmm.engines.bt.cache import POOL, new_pool, patch, place, write_code
from vmm.engines.bt.chain import aim, chain, unchain
from vmm.engines.bt.emit import addi, callout, lui, put, unspill
from vmm.engines.bt.indirect import T0, T1, edge, fan, fan_hit
from vmm.engines.bt.record import CALL, Count, Fans, Site
from vmm.engines.bt.window import BUCKET_WORDS, BUCKETS, CODE_WORDS
from vmm.engines.bt.words import (
    ADDI,
    BNE,
    BRANCH,
    NOP,
    RET,
    branch_word,
    high_of,
    i_word,
    jal_word,
    low_of,
    lui_word,
    rd_of,
)  # fmt: skip

MOST_BEHIND = 8  # places behind one bucket
SEVERAL, NO_SOURCE = -1, -2  # answers of `_only_source` that are no block
MOST_ABOVE = 4  # blocks from the beginning of a function that is copied to its return


@njit
def comparison_of(bt, word):
    """Return the word of the first comparison of the jump that asks root at `word`."""
    if bt.site[word] == Site.WIDEN:
        return word + np.int64(bt.insn[word])
    if bt.site[word] == Site.CROWDED:
        return np.int64(bt.insn[word])
    return word + 2


@njit
def jalr_of(bt, word):
    """Return the guest's jalr that asks root at `word`."""
    return np.int64(bt.insn[comparison_of(bt, word) - 2])


@njit
def new_target(hart, mem, bt, word, target):
    """Give the jump that asks root at `word` a target; return the edge to be chained, or -1."""
    returns = bt.site[word] == Site.CROWDED and jalr_of(bt, word) == RET
    unit = np.int64(bt.unit[word])
    if not _is_first(mem, bt, word) and _split(hart, mem, bt, unit, returns):
        return np.int64(-1)
    if bt.site[word] == Site.WIDEN:
        word = _widen(hart, mem, bt, word)
    elif bt.site[word] == Site.CROWDED:
        _pass_by(hart, mem, bt, word)
        word = np.int64(-1)
    return _predict(hart, mem, bt, word, target) if word >= 0 else word


@njit
def _is_first(mem, bt, word):
    """Return whether the jump that asks root at `word` has had no target yet."""
    branch = np.int64(ram_words(mem)[bt.start * WORDS + word + 2])
    return bt.site[word] == Site.PREDICT and branch & BRANCH == BNE


@njit
def _predict(hart, mem, bt, word, target):
    """Write `target` into the comparison at `word`; return the edge that follows it, or -1."""
    first = _is_first(mem, bt, word)
    words, at = ram_words(mem), bt.start * WORDS + word
    held = rd_of(np.int64(words[at + 1]))
    words[at] = lui_word(held, high_of(target))
    words[at + 1] = i_word(ADDI, held, held, low_of(target)) & 0xFFFFFFFF
    write_code(hart, mem, bt, word, np.int64(2))
    bt.site[word] = Site.PLAIN
    bt.count[Count.PREDICTED] += 1
    if not first:
        return _hit(hart, mem, bt, word, target)
    site = word + 2
    while bt.site[site] != Site.EDGE:
        site += 1
    bt.gpc[site] = target
    return site


@njit
def _hit(hart, mem, bt, word, target):
    """Make what a fan does if the comparison at `word` holds; its edge, or -1: no room."""
    fan_hit(bt, jalr_of(bt, word), np.int64(bt.gpc[word]), np.int64(bt.index[word]))
    if bt.used + POOL + bt.filled > bt.capacity:
        bt.crowded = 1
        return np.int64(-1)
    new_pool(bt, POOL)
    first = bt.used
    bt.used += bt.filled
    place(hart, mem, bt, first, first, np.int64(bt.unit[word]))
    branch = np.int64(ram_words(mem)[bt.start * WORDS + word + 2])
    jump = word + 2 + ((branch >> 25 & 0x3F) << 3 | branch >> 9 & 7)
    patch(hart, mem, bt, jump, jal_word(np.int64(0), 4 * (first - jump)))
    aim(hart, mem, bt, word + 2, first)
    bt.gpc[bt.used - 1] = target
    return bt.used - 1


@njit
def _only_source(bt, unit):
    """The block with the only edge to this one; SEVERAL if more have one.

    NO_SOURCE if there is none, or if it is a call or an indirect jump.
    """
    fans, site = np.int64(bt.u_fans[unit]), np.int64(bt.u_sites[unit]) - 1
    edges, source = fans & Fans.LAID, np.int64(NO_SOURCE)
    if edges and not fans & Fans.APART:
        source = np.int64(bt.unit[bt.u_first[unit] - 1])
    while site >= 0 and edges < 2:
        if bt.u_gpc[bt.unit[site]] != bt.u_gpc[unit]:
            edges += 1
            source = np.int64(bt.unit[site]) if bt.insn[site] < CALL else np.int64(NO_SOURCE)
        site = np.int64(bt.edge[site]) - 1
    return np.int64(SEVERAL) if edges >= 2 else source


@njit
def _split(hart, mem, bt, unit, above):
    """Make edges ask root for copies, so that the jump at the end of each has fewer targets.

    Those are the edges to the block, if there are two or more.  With `above` they may be
    those to a block above it, from which no other way leads here: a function's beginning.
    Return whether there are such edges.
    """
    top, source = unit, _only_source(bt, unit)
    for _ in range(MOST_ABOVE):
        if source < 0 or not above or bt.u_gpc[source] == bt.u_gpc[unit]:
            break
        top, source = source, _only_source(bt, source)
    fans = np.int64(bt.u_fans[top])
    if source != SEVERAL or fans & Fans.SPLIT:
        return False
    while unit != top:
        bt.u_fans[unit] |= Fans.SPLIT | Fans.INLINES
        unit = _only_source(bt, unit)
        fans |= Fans.INLINES
    bt.u_fans[top] = fans | Fans.SPLIT | (0 if fans & Fans.LAID else Fans.FREE)
    bt.ended = 0
    unchain(hart, mem, bt, top)
    return True


@njit
def _widen(hart, mem, bt, word):
    """A second target: make the fan; its first question, or -1 if there is no room."""
    comparison, unit = comparison_of(bt, word), np.int64(bt.unit[word])
    insn = np.int64(bt.insn[comparison - 2])
    fan(bt, insn, np.int64(bt.gpc[word]), np.int64(bt.index[word]), comparison)
    if bt.used + bt.filled > bt.capacity:
        bt.crowded = 1
        return np.int64(-1)
    first = bt.used + bt.filled - bt.main
    place(hart, mem, bt, first, bt.used, unit)
    bt.used += bt.filled
    bt.count[Count.WIDENED] += 1
    patch(hart, mem, bt, word, jal_word(np.int64(0), 4 * (first - word)))
    bt.site[word] = Site.PLAIN
    aim(hart, mem, bt, comparison, first)
    return first


@njit
def _pass_by(hart, mem, bt, word):
    """More targets than a fan has room for: from its first comparison on to the bucket."""
    comparison = comparison_of(bt, word)
    bt.hold = 1
    patch(hart, mem, bt, word, np.int64(NOP))
    bt.site[word] = Site.PLAIN
    aim(hart, mem, bt, comparison, word + 1)


@njit
def hold_target(hart, mem, bt, unit):
    """Make the bucket of the block's guest pc, or a place behind it, lead to the block."""
    gpc = np.int64(bt.u_gpc[unit])
    bucket = bucket_of(bt.group, gpc)
    held = held_by(mem, bt, bucket)
    if held == gpc or held == NONE or not _behind(hart, mem, bt, bucket, unit):
        at, to = BUCKETS + 4 * (bucket * BUCKET_WORDS + 6), 4 * np.int64(bt.u_first[unit])
        fill(hart, mem, bt, bucket, gpc, jal_word(np.int64(0), to - at))


@njit
def _behind(hart, mem, bt, bucket, unit):
    """Put a place for the block behind a bucket; return whether there was room for it."""
    miss, here = CODE_WORDS + bucket * BUCKET_WORDS + MISS, np.int64(bt.behind[bucket]) - 1
    length = 0
    while here >= 0:
        miss, here = here, np.int64(bt.edge[here]) - 1
        length += 1
    _place_behind(bt, unit)
    if length >= MOST_BEHIND or bt.used + bt.filled > bt.capacity:
        return False
    first = bt.used
    place(hart, mem, bt, first, first, unit)
    bt.used += bt.filled
    chain(hart, mem, bt, first + 5, unit)
    patch(hart, mem, bt, miss, jal_word(np.int64(0), 4 * (first - miss)))
    if length:
        bt.edge[miss] = first + 7
    else:
        bt.behind[bucket] = first + 7
    return True


@njit
def _place_behind(bt, unit):
    """Emit a place behind a bucket: the bucket's code, with TARGET in t0 already."""
    gpc = np.int64(bt.u_gpc[unit])
    bt.filled, bt.stubs, bt.fresh, bt.begun = 0, 0, 0, 1
    bt.pc, bt.done = gpc, bt.u_insns[unit]
    lui(bt, T1, high_of(gpc))
    addi(bt, T1, T1, low_of(gpc))
    put(bt, branch_word(BNE, np.int64(T0), np.int64(T1), np.int64(16)))
    unspill(bt, T0, 0)
    unspill(bt, T1, 1)
    edge(bt, gpc, bt.done)
    bt.fresh = 0
    callout(bt, Site.MISS, 0)
    bt.main = bt.filled
