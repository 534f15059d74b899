"""Answers for the TLB: what a lookup compares, when entries match, and when they are dropped.

Must not know the tables from which entries come (`mmu.py`).

A translation is held in two places.  The *modelled* TLB (`dkey dpte`, `ikey ipte`)
is the machine's: direct-mapped, 4 KiB entries (a superpage is held in pieces),
tagged with address space; a miss walks the tables and costs cycles.  The *fast
tags* (`rtag wtag`, `xtag`) hold what the interpreter compares an address with.
One is set only where the modelled entry exists, permits the access in the
current context, and the access needs nothing else: RAM, no code in the frame,
dirty already.  The number of the context is part of the tag (`contexts.py`), so a
change of level, address space, SUM, MXR or limits costs no flush and no walk.

  fast tag   62      48 47  46                32 31      12 11       0
            +----------+---+--------------------+----------+----------+
            | reserv.  | 0 |      context       |   vpn    |    0     |
            +----------+---+--------------------+----------+----------+
  key        29 28      20 19       0
            +--+----------+----------+
            |G |   asid   |   vpn    |     with G set, asid is 0
            +--+----------+----------+
"""

import numpy as np

from toyisa.compiled.njit import entry, njit
from toyisa.core.contexts import (
    KEY_MXR,
    KEY_PAGED,
    KEY_S,
    KEY_SUM,
    bounds,
    forget_contexts,
    number_of,
)  # fmt: skip
from toyisa.core.state import NO_TAG
from toyisa.core.sv32 import MXR, SUM, SUPER
from toyisa.tables.bits import ASID, SATP_ASID_SHIFT, SATP_MODE_SV32
from toyisa.tables.levels import Level

PAGED = SATP_MODE_SV32
GLOBAL_KEY = 1 << 29


@njit
def limited(hart):
    """Whether `s_limit` or `s_base` is in force: only deprivileged S has them."""
    root = hart.root
    return (root.s_limit | root.s_base) != 0 and root.s_traps != 0 and hart.priv == Level.S


@njit
def beyond_limits(hart, va):
    """Whether a hart that is `limited` may access `va` only with x0 as the base.

    Both limits begin pages, so a fast tag, which holds for a page, can stand for them.
    """
    root = hart.root
    return va < root.s_base or (root.s_limit != 0 and va >= root.s_limit)


@njit
def _numbers(hart):
    """The contexts of fetches, of data, and of data by x0, as their numbers; -1s on overflow."""
    satp, status = np.int64(hart.csr.satp), np.int64(hart.csr.sstatus)
    place = np.int64(KEY_S if hart.priv == Level.S else 0)
    data = place
    if satp & PAGED:
        place |= KEY_PAGED | (satp >> SATP_ASID_SHIFT & ASID)
        data = place | (KEY_SUM if status & SUM else 0) | (KEY_MXR if status & MXR else 0)
    known = hart.tlb.contexts
    fetches, absolute = number_of(known, place), number_of(known, data)
    by_register = absolute
    if limited(hart):
        limits = bounds(np.int64(hart.root.s_base), np.int64(hart.root.s_limit))
        by_register = number_of(known, data | limits)
    return fetches, by_register, absolute


@entry
def recontext(hart):
    """Level, address space, SUM, MXR or limits have changed: other tags match from now on."""
    fetches, data, absolute = _numbers(hart)
    if fetches < 0 or data < 0 or absolute < 0:
        forget_contexts(hart.tlb.contexts)
        drop_fast_tags(hart)
        fetches, data, absolute = _numbers(hart)
    tlb = hart.tlb
    tlb.ctx_x = fetches << 32
    tlb.ctx_r = data << 32
    tlb.absolute = (data ^ absolute) << 32
    _tag_stores(hart)


@njit
def _tag_stores(hart):
    """While a reservation is held, stores have tags of their own."""
    tlb = hart.tlb
    tlb.ctx_w = tlb.ctx_r
    if hart.resv.addr >= 0:
        tlb.ctx_w |= hart.resv.generation << 48


@njit
def reserve(hart, pa):
    """Hold a reservation on the word at `pa`, or none with -1.

    While one is held, stores have tags of their own.  None of them covers the reserved frame,
    so a plain store to the word is noticed.
    """
    hart.resv.addr = pa
    if pa >= 0:
        hart.resv.generation = (hart.resv.generation & 0x3FFF) + 1
        if hart.resv.generation == 1:  # wrapped: old tags must not match again
            hart.tlb.wtag[:] = NO_TAG
    _tag_stores(hart)


@njit
def hit_tag(tags, frame_at, context, va, low, dmask):
    """The RAM offset of an access of `low` + 1 bytes at `va`, or -1: the slow path must do it."""
    e = (va >> 12) & dmask
    if tags[e] != context | va & (0xFFFFF000 | low):
        return -1
    return np.int64(frame_at[e]) | va & 0xFFF


@njit
def flush(hart, va, asid):
    """`sfence.vma`: forget translations of `va` (-1: all) in space `asid` (-1: all).

    "If rs2 is not x0, the fence orders only ... the address space ... Accesses to
    global mappings are not ordered."
    """
    _flush(hart.tlb.dkey, hart.tlb.dpte, hart.tlb.dmask, hart.tlb.supers, va, asid)
    _flush(hart.tlb.ikey, hart.tlb.ipte, hart.tlb.imask, hart.tlb.supers, va, asid)
    if va < 0 and asid < 0:
        hart.tlb.supers = 0
    drop_fast_tags(hart)


@njit
def drop_fast_tags(hart):
    """Drop all fast tags; they are made again from the modelled TLB, at no cost."""
    hart.tlb.rtag[: hart.tlb.dmask + 1] = NO_TAG
    hart.tlb.wtag[: hart.tlb.dmask + 1] = NO_TAG
    hart.tlb.xtag[: hart.tlb.imask + 1] = NO_TAG
    hart.fetch.tag = NO_TAG


@njit
def forget_spaces(hart):
    """Forget everything except global translations, as loading a new root table does when
    untagged.
    """
    _forget_spaces(hart.tlb.dkey, hart.tlb.dmask)
    _forget_spaces(hart.tlb.ikey, hart.tlb.imask)
    drop_fast_tags(hart)


@njit
def _forget_spaces(keys, mask):
    for e in range(mask + 1):
        if keys[e] & GLOBAL_KEY == 0:
            keys[e] = NO_TAG


@njit
def _flush(keys, ptes, mask, supers, va, asid):
    first, last = 0, mask + 1
    if va >= 0 and not supers:  # a 4 KiB page has only one place
        first = (va >> 12) & mask
        last = first + 1
    for e in range(first, last):
        key = keys[e]
        if key < 0:
            continue
        if asid >= 0 and (key & GLOBAL_KEY or key >> 20 & ASID != asid):
            continue
        if va >= 0:
            apart = (key & 0xFFFFF) ^ (va >> 12)
            if apart >> 10 if ptes[e] & SUPER else apart:
                continue
        keys[e] = NO_TAG
