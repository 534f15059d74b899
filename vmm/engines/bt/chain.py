"""Answers for chaining: edges that jump from block to block, and become calls of root again
when the block to which they lead is dropped.

Must not know how a block came into the cache (`cache.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import WORDS, ram_words
from vmm.engines.bt.buckets import forget_target
from vmm.engines.bt.cache import group_of, patch
from vmm.engines.bt.record import (
    CALL,
    HASH,
    MOST_ENDED,
    Aside,
    Count,
    Site,
)  # fmt: skip
from vmm.engines.bt.words import BEQ, BNE, BRANCH, ECALL, branch_word, jal_word, rs1_of, rs2_of

BRANCH_REACH = 1000  # words, with some to spare


@njit
def chain(hart, mem, bt, site, unit):
    """Make the edge at `site` a jump to the block `unit`; if a branch takes it, and reaches,
    skip the jump.
    """
    first = np.int64(bt.u_first[unit])
    patch(hart, mem, bt, site, jal_word(np.int64(0), 4 * (first - site)))
    if 0 < bt.insn[site] < CALL:
        aim(hart, mem, bt, site + np.int64(bt.insn[site]), first)
    bt.site[site] = Site.PLAIN
    bt.edge[site] = bt.u_sites[unit]
    bt.u_sites[unit] = site + 1
    bt.count[Count.CHAINED] += 1


@njit
def aim(hart, mem, bt, word, target):
    """Have the branch at `word` of the cache go to the word `target`, if it reaches."""
    if abs(target - word) >= BRANCH_REACH:
        return
    old = np.int64(ram_words(mem)[bt.start * WORDS + word])
    offset = 4 * (target - word)
    aimed = branch_word(old & BRANCH, rs1_of(old), rs2_of(old), offset)
    patch(hart, mem, bt, word, aimed)


@njit
def lay_out(hart, mem, bt, site):
    """Make room for the new block over the edge at `site`; return whether that was possible.

    It is if the edge is the last word of the cache, and its jump is not the whole
    translation of the guest's.  If the last word is the other edge of the same branch, the
    branch is turned round.  A call stays a jump unless the block is made for it alone: its
    function has other callers.
    """
    last = bt.used - 1
    if bt.aside[last] == Aside.JUMP or bt.site[last] != Site.EDGE:
        return False
    if bt.insn[site] & CALL and not bt.ra:
        return False
    if bt.pool + bt.filled - bt.main > bt.pool_end or bt.used + bt.main - bt.pool > BRANCH_REACH:
        return False
    branch = site + (np.int64(bt.insn[site]) if bt.insn[site] < CALL else 0)
    if site != last and (branch == site or branch != last - 1):
        return False
    if site != last:
        word = np.int64(ram_words(mem)[bt.start * WORDS + branch])
        patch(hart, mem, bt, branch, word ^ BEQ ^ BNE)  # beq and bne, blt and bge, bltu and bgeu
        bt.gpc[site] = bt.gpc[last]
    bt.used = last
    bt.count[Count.LAID_OUT] += 1
    return True


@njit
def kill_unit(hart, mem, bt, unit):
    """Nothing may jump to this block any more; the caller removes it from its page's list.

    If that would be many edges, or blocks, the cache is flushed instead before the guest goes
    on.
    """
    if not bt.u_alive[unit] or bt.crowded:
        return
    bt.ended += 1
    bt.u_alive[unit] = 0
    gpc = np.int64(bt.u_gpc[unit])
    bucket = gpc >> 2 & HASH - 1
    if bt.hash[bucket] == unit + 1:
        bt.hash[bucket] = bt.u_next[unit]
    else:
        before = np.int64(bt.hash[bucket]) - 1
        while bt.u_next[before] != unit + 1:
            before = np.int64(bt.u_next[before]) - 1
        bt.u_next[before] = bt.u_next[unit]
    unchain(hart, mem, bt, unit)
    if bt.crowded:
        return
    _close(hart, mem, bt, np.int64(bt.u_first[unit]), gpc)
    forget_target(hart, mem, bt, group_of(bt, unit), gpc)
    bt.count[Count.INVALIDATED] += 1


@njit
def unchain(hart, mem, bt, unit):
    """Make each edge to the block a call of root again."""
    site = np.int64(bt.u_sites[unit]) - 1
    while site >= 0:
        bt.ended += 1
        if bt.ended > MOST_ENDED:
            bt.crowded = 1
            return
        patch(hart, mem, bt, site, ECALL)
        if 0 < bt.insn[site] < CALL:
            aim(hart, mem, bt, site + np.int64(bt.insn[site]), site)
        bt.site[site] = Site.EDGE
        bt.count[Count.UNCHAINED] += 1
        site = np.int64(bt.edge[site]) - 1
    bt.u_sites[unit] = 0


@njit
def _close(hart, mem, bt, first, gpc):
    """Make the first word of a dropped block an edge: the block before it may fall into it."""
    patch(hart, mem, bt, first, ECALL)
    bt.site[first], bt.gpc[first], bt.insn[first] = Site.EDGE, gpc, 0
    bt.inside[first], bt.aside[first] = 0, Aside.APART
