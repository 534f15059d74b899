"""Answers for the translation cache: where blocks lie, and how they are found.

Blocks are placed one behind the other; a dead block stays until the whole cache is flushed.
Must not know how a block is made, how it is chained (`chain.py`), nor why one must go.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.decodepool import invalidate
from toyisa.core.memory import PAGE, WORDS, ram_words
from toyisa.core.work import CHAIN
from toyisa.tables.requests import Writer
from vmm.domain.record import pages
from vmm.engines.bt.buckets import clear_buckets
from vmm.engines.bt.indirect import aim_at_stubs
from vmm.engines.bt.record import (
    HASH,
    MAX_PAGES,
    MAX_UNITS,
    STEP_WORDS,
    Aside,
    Count,
    Fans,
)  # fmt: skip
from vmm.engines.bt.window import BUCKET_PAGES, CODE_PAGES, CODE_WORDS

POOL = 8  # words for the stubs of a block, and of those that follow it
STEP_AT = CODE_WORDS - STEP_WORDS  # the place of the one-instruction unit


@njit
def address_of(bt, word):
    """The machine's virtual address of a word of the cache."""
    return bt.base + 4 * word


@njit
def word_at(bt, address):
    """The word of the cache at a machine pc, or -1."""
    word = (address - bt.base) >> 2
    return word if 0 <= word < CODE_WORDS else -1


@njit
def words_at(bt):
    """Where slot 0 of the window's words lies, among the words of RAM."""
    return (bt.start + CODE_PAGES + BUCKET_PAGES) * WORDS + ((bt.first & PAGE - 1) >> 2)


@njit
def write_code(hart, mem, bt, word, count):
    """Words of code in RAM have changed: tell the decode pool, page by page."""
    while count > 0:
        here = min(count, WORDS - word % WORDS)
        offset = bt.start * PAGE + 4 * word
        invalidate(hart, mem, offset, 4 * here, np.int64(Writer.TRANSLATOR))
        word += here
        count -= here


@njit
def patch(hart, mem, bt, word, value):
    """Change one word of the cache."""
    ram_words(mem)[bt.start * WORDS + word] = value & 0xFFFFFFFF
    write_code(hart, mem, bt, word, np.int64(1))


@njit
def place(hart, mem, bt, first, stubs, unit):
    """Copy the buffer to word `first` of the cache, and its stubs to word `stubs` before that.

    `unit` is its number or -1.
    """
    aim_at_stubs(bt, first - stubs)
    words, base = ram_words(mem), bt.start * WORDS
    for n in range(bt.filled):
        word = first + n if n < bt.main else stubs + n - bt.main
        words[base + word] = bt.b_word[n]
        bt.gpc[word], bt.insn[word], bt.site[word] = bt.b_gpc[n], bt.b_insn[n], bt.b_site[n]
        bt.inside[word], bt.index[word] = bt.b_inside[n], bt.b_index[n]
        bt.unit[word], bt.faults[word], bt.edge[word] = unit, 0, 0
    write_code(hart, mem, bt, first, np.int64(bt.main))
    write_code(hart, mem, bt, stubs, bt.filled - bt.main)
    for n in range(bt.filled):  # what the old words' marks have counted, has been folded
        word = first + n if n < bt.main else stubs + n - bt.main
        bt.aside[word] = bt.b_aside[n]


@njit
def is_jump(bt, word):
    """Whether `word` is the whole translation of a guest's jump, with the clock in cycles."""
    return not bt.icount and bt.aside[word] == Aside.JUMP and bt.unit[word] >= 0


@njit
def jump_at(bt, word):
    """The guest pc of that jump: `bt.gpc` has its target."""
    return (np.int64(bt.u_gpc[bt.unit[word]]) + 4 * np.int64(bt.index[word]) - 4) & 0xFFFFFFFF


@njit
def not_counted(bt, word):
    """How many instructions that retired at `word` do not count for a guest that is left there."""
    return np.int64(bt.aside[word] >> 2 & 1) - np.int64(bt.aside[word] >> 1 & 1)


@njit
def group_of(bt, unit):
    """The group of address spaces for which a block was made."""
    return np.int64(bt.p_group[bt.u_page[unit]])


@njit
def find_unit(bt, gpc):
    """The block that begins at guest pc `gpc` in the current group, for any value of x1, or -1."""
    unit = np.int64(bt.hash[gpc >> 2 & HASH - 1]) - 1
    while unit >= 0 and (
        bt.u_gpc[unit] != gpc or bt.u_ra[unit] or group_of(bt, unit) != bt.group
    ):
        unit = np.int64(bt.u_next[unit]) - 1
    return unit


@njit
def full(bt):
    """Whether the cache must be flushed before another unit is made."""
    room = bt.capacity - POOL - bt.used
    return bt.filled > room or bt.units >= MAX_UNITS or bt.pages >= MAX_PAGES - 1


@njit
def new_pool(bt, size):
    """Reserve words for the stubs of the next block, and of those that follow it."""
    bt.unit[bt.used : bt.used + size] = -1
    bt.pool, bt.used = bt.used, bt.used + size
    bt.pool_end = bt.used


@njit
def enter_unit(hart, mem, bt, gpc, insns, page, follows):
    """Put the unit in the buffer into the cache, and into the books; its number.

    One that `follows` another has its stubs in what is left of the same pool of words.
    """
    unit, stubs = bt.units, bt.filled - bt.main
    bt.units += 1
    if not follows:
        new_pool(bt, max(stubs, POOL))
    bt.pool, bt.used = bt.pool + stubs, bt.used + bt.main
    first = bt.used - bt.main
    bt.u_gpc[unit], bt.u_page[unit] = gpc, page
    bt.u_insns[unit], bt.u_alive[unit], bt.u_sites[unit] = insns, 1, 0
    bt.u_fans[unit] = Fans.LAID if follows else 0
    bt.u_ra[unit] = bt.ra
    bucket = gpc >> 2 & HASH - 1
    bt.u_next[unit] = bt.hash[bucket]
    bt.hash[bucket] = unit + 1
    bt.u_sibling[unit] = bt.p_units[page]
    bt.p_units[page] = unit + 1
    bt.u_first[unit] = first
    place(hart, mem, bt, first, bt.pool - stubs, unit)
    bt.count[Count.UNITS] += 1
    bt.count[Count.INSNS_IN] += insns
    bt.count[Count.INSNS_OUT] += bt.filled
    return unit


@njit
def forget_units(bt):
    """Empty the books, so that the cache is empty."""
    bt.used, bt.units, bt.pages, bt.pool, bt.pool_end = 0, 0, 0, 0, 0
    bt.hash[:] = 0
    bt.space_seen[:] = 0
    bt.at, bt.link = -1, -1
    bt.count[Count.FLUSHES] += 1


@njit
def flush_cache(vm, hart, mem, bt):
    """Empty the cache: every block is made again when it is needed."""
    mem.work -= bt.pages >> CHAIN
    bt.crowded = 0
    for page in range(bt.pages):
        if bt.p_gfn[page] >= 0:
            pages(vm)[bt.p_gfn[page]].code = 0
    forget_units(bt)
    clear_buckets(hart, mem, bt)
