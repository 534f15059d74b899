"""Answers for the translation cache: where blocks lie, how they are found and chained.

Blocks are placed one behind the other; a dead block stays until the whole cache is flushed.
Must not know how a block is made, nor why one must go.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.memory import PAGE, WORDS, ram_words
from toyisa.core.pool import invalidate
from toyisa.core.work import CHAIN
from toyisa.tables.requests import Writer
from vmm.domain.vcpu import pages
from vmm.engines.bt.buckets import clear_buckets, forget_target
from vmm.engines.bt.emit import ECALL, branch_word, itype, jal_word
from vmm.engines.bt.record import (
    HASH,
    MAX_PAGES,
    MAX_UNITS,
    MOST_ENDED,
    STEP_WORDS,
    TAKEN,
    Aside,
    Count,
    Site,
)  # fmt: skip
from vmm.engines.bt.window import BUCKET_PAGES, CODE_PAGES, CODE_WORDS

BRANCH_REACH = 1000  # words, with some to spare
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
def place(hart, mem, bt, first, unit):
    """Copy the unit's buffer to word `first` of the cache; `unit` is its number or -1."""
    words = ram_words(mem)
    base = bt.start * WORDS
    for n in range(bt.filled):
        word = first + n
        words[base + word] = bt.b_word[n]
        bt.gpc[word], bt.insn[word], bt.site[word] = bt.b_gpc[n], bt.b_insn[n], bt.b_site[n]
        bt.inside[word], bt.index[word] = bt.b_inside[n], bt.b_index[n]
        bt.unit[word], bt.faults[word], bt.edge[word] = unit, 0, 0
    write_code(hart, mem, bt, first, bt.filled)
    for n in range(bt.filled):  # what the old words' marks have counted, has been folded
        bt.aside[first + n] = bt.b_aside[n]


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
    """The block that begins at guest pc `gpc` in the current group, or -1."""
    unit = np.int64(bt.hash[gpc >> 2 & HASH - 1]) - 1
    while unit >= 0 and (bt.u_gpc[unit] != gpc or group_of(bt, unit) != bt.group):
        unit = np.int64(bt.u_next[unit]) - 1
    return unit


@njit
def full(bt):
    """Whether the cache must be flushed before another unit is made."""
    return (
        bt.used + bt.filled > bt.capacity or bt.units >= MAX_UNITS or bt.pages >= MAX_PAGES - 1
    )  # fmt: skip


@njit
def enter_unit(hart, mem, bt, gpc, insns, page):
    """Put the unit in the buffer into the cache, and into the books; its number."""
    unit, first = bt.units, bt.used
    bt.units += 1
    bt.used += bt.filled
    bt.u_gpc[unit], bt.u_page[unit], bt.u_first[unit] = gpc, page, first
    bt.u_insns[unit], bt.u_alive[unit], bt.u_sites[unit] = insns, 1, 0
    bucket = gpc >> 2 & HASH - 1
    bt.u_next[unit] = bt.hash[bucket]
    bt.hash[bucket] = unit + 1
    bt.u_sibling[unit] = bt.p_units[page]
    bt.p_units[page] = unit + 1
    place(hart, mem, bt, first, unit)
    bt.count[Count.UNITS] += 1
    bt.count[Count.INSNS_IN] += insns
    bt.count[Count.INSNS_OUT] += bt.filled
    return unit


@njit
def chain(hart, mem, bt, site, unit):
    """Make the edge at `site` a jump to the block `unit`; if a branch takes it, and reaches,
    skip the jump.
    """
    first = np.int64(bt.u_first[unit])
    patch(hart, mem, bt, site, jal_word(np.int64(0), 4 * (first - site)))
    if bt.insn[site] == TAKEN and abs(first - site) < BRANCH_REACH:
        _aim(hart, mem, bt, site - 2, first)
    bt.site[site] = Site.PLAIN
    bt.edge[site] = bt.u_sites[unit]
    bt.u_sites[unit] = site + 1
    bt.count[Count.CHAINED] += 1


@njit
def _aim(hart, mem, bt, word, target):
    """Have the branch at `word` of the cache go to the word `target`."""
    old = np.int64(ram_words(mem)[bt.start * WORDS + word])
    kind, rs1, rs2 = old >> 12 & 7, old >> 15 & 31, old >> 20 & 31
    patch(hart, mem, bt, word, branch_word(kind, rs1, rs2, 4 * (target - word)))


@njit
def predict(hart, mem, bt, word, target):
    """Have the indirect jump that asks at `word` try `target` first; its edge to that unit."""
    low = (target & 0xFFF ^ 0x800) - 0x800
    at = bt.start * WORDS + word
    held = np.int64(ram_words(mem)[at + 1]) >> 7 & 31
    ram_words(mem)[at] = (target - low) & 0xFFFFF000 | held << 7 | 0x37
    ram_words(mem)[at + 1] = itype(0x13, 0, held, held, low) & 0xFFFFFFFF
    write_code(hart, mem, bt, word, np.int64(2))
    bt.site[word] = Site.PLAIN
    site = word + 2
    while bt.site[site] != Site.EDGE:
        site += 1
    bt.gpc[site] = target
    return site


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
    site = np.int64(bt.u_sites[unit]) - 1
    while site >= 0:
        bt.ended += 1
        if bt.ended > MOST_ENDED:
            bt.crowded = 1
            return
        patch(hart, mem, bt, site, ECALL)
        if bt.insn[site] == TAKEN:
            _aim(hart, mem, bt, site - 2, site)
        bt.site[site] = Site.EDGE
        bt.count[Count.UNCHAINED] += 1
        site = np.int64(bt.edge[site]) - 1
    bt.u_sites[unit] = 0
    forget_target(hart, mem, bt, group_of(bt, unit), gpc)
    bt.count[Count.INVALIDATED] += 1


@njit
def forget_units(bt):
    """Empty the books, so that the cache is empty."""
    bt.used, bt.units, bt.pages = 0, 0, 0
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

