"""Answers for indirect jumps: a hash table that is code, a bucket of 8 words each.

    lw    t0, TARGET        the guest pc that is wanted
    lui   t1, %hi(held)
    addi  t1, t1, %lo(held)
    bne   t0, t1, miss
    lw    t0, SPILL0
    lw    t1, SPILL1
    j     unit
    miss: ecall             root finds the unit, and puts it here; or on to a place behind
                            the bucket, of the same kind, for another guest pc

Each group of address spaces has buckets of its own, which its code jumps to.
Translated code could not read a table of data in the cache, which is execute only; and a
table that it could read, the guest could read, too.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.decodepool import invalidate
from toyisa.core.memory import PAGE, WORDS, ram_words
from toyisa.tables.fields import CSR_AT
from toyisa.tables.requests import Writer
from vmm.engines.bt.window import (
    BUCKET_PAGES,
    BUCKET_WORDS,
    BUCKETS,
    CODE_WORDS,
    GROUP_PAGES,
    Slot,
)  # fmt: skip
from vmm.engines.bt.words import (
    ADDI,
    BNE,
    ECALL,
    HIGH,
    LW,
    WORD,
    branch_word,
    high_of,
    i_word,
    low_of,
    lui_word,
)  # fmt: skip

T0, T1 = 5, 6
NONE = 2  # not a guest pc
MISS = BUCKET_WORDS - 1
GROUP_BUCKETS = GROUP_PAGES * WORDS // BUCKET_WORDS


@njit
def _load(bt, rd, slot):
    return i_word(LW, rd, 0, bt.first + 4 * slot)


@njit
def bucket_of(group, gpc):
    """The number of the bucket of a guest pc: each group has buckets of its own."""
    return group * GROUP_BUCKETS | gpc >> 2 & GROUP_BUCKETS - 1


@njit
def is_miss(bt, address):
    """Whether a machine pc is a bucket's call to root."""
    at = address - bt.base - BUCKETS
    return 0 <= at < BUCKET_PAGES * PAGE and at >> 2 & BUCKET_WORDS - 1 == MISS


@njit
def fill(hart, mem, bt, bucket, held, jump):
    """Write a bucket that holds guest pc `held`, with the word `jump` to its unit.

    What is behind it stays behind it.
    """
    words = ram_words(mem)
    at = bt.start * WORDS + CODE_WORDS + bucket * BUCKET_WORDS
    words[at] = _load(bt, np.int64(T0), np.int64(Slot.TARGET)) & 0xFFFFFFFF
    words[at + 1] = lui_word(T1, high_of(held))
    words[at + 2] = i_word(ADDI, T1, T1, low_of(held)) & 0xFFFFFFFF
    words[at + 3] = branch_word(BNE, np.int64(T0), np.int64(T1), np.int64(16))
    words[at + 4] = _load(bt, np.int64(T0), np.int64(Slot.SPILL0)) & 0xFFFFFFFF
    words[at + 5] = _load(bt, np.int64(T1), np.int64(Slot.SPILL1)) & 0xFFFFFFFF
    words[at + 6] = jump & 0xFFFFFFFF
    if not bt.behind[bucket]:
        words[at + 7] = ECALL
    invalidate(hart, mem, 4 * at, 4 * BUCKET_WORDS, np.int64(Writer.TRANSLATOR))


@njit
def held_by(mem, bt, bucket):
    """The guest pc that a bucket holds, or NONE."""
    at = bt.start * WORDS + CODE_WORDS + bucket * BUCKET_WORDS
    high = np.int64(ram_words(mem)[at + 1]) & HIGH
    low = np.int64(ram_words(mem)[at + 2]) >> CSR_AT
    return (high + low_of(low)) & WORD


@njit
def forget_target(hart, mem, bt, group, gpc):
    """The group's block at `gpc` is gone: an indirect jump there must call root."""
    bucket = bucket_of(group, gpc)
    if held_by(mem, bt, bucket) == gpc:
        fill(hart, mem, bt, bucket, np.int64(NONE), np.int64(ECALL))


@njit
def clear_buckets(hart, mem, bt):
    """Every bucket holds nothing, and nothing is behind it."""
    bt.behind[:] = 0
    for bucket in range(BUCKET_PAGES * WORDS // BUCKET_WORDS):
        fill(hart, mem, bt, bucket, np.int64(NONE), np.int64(ECALL))
