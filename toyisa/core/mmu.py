"""Answers for virtual addresses: the machine's walks, and its modelled TLBs.

Must not know instructions, nor the rules of a walk (`sv32.py`).

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
from toyisa.core import contexts
from toyisa.core.clock import charge
from toyisa.core.contexts import bounds, forget_contexts, number_of
from toyisa.core.fences import fences_of, note_table
from toyisa.core.memory import CODE, PAGE, RAM_BASE, ram_offset, ram_words
from toyisa.core.state import NO_TAG
from toyisa.core.sv32 import (
    BY_S,
    FETCH,
    LOAD,
    MXR,
    STORE,
    SUM,
    SUPER,
    SVADE,
    A,
    D,
    G,
    R,
    W,
    Why,
    compiled_walk,
    permission,
    small_leaf,
)
from toyisa.core.work import ENDLESS
from toyisa.tables.bits import (
    ASID,
    PAGE_SHIFT,
    SATP_ASID_SHIFT,
    SATP_MODE_SV32,
    SATP_PPN_MASK,
)  # fmt: skip
from toyisa.tables.causes import Exc
from toyisa.tables.cost import Event
from toyisa.tables.levels import Level

PAGED = SATP_MODE_SV32

# Answers of `walk` and `translate` that are not addresses.
PAGE_FAULT, ACCESS_FAULT = -1, -2
DIFFERS = -3  # no fault: the TLB says other than the tables, and root wants to look (fences.py)

_GLOBAL_KEY = 1 << 29


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
    place = np.int64(contexts.BY_S if hart.priv == Level.S else 0)
    data = place
    if satp & PAGED:
        place |= contexts.PAGED | (satp >> SATP_ASID_SHIFT & ASID)
        data = place
        data |= (contexts.SUM if status & SUM else 0) | (contexts.MXR if status & MXR else 0)
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
def accessor(hart):
    """Who accesses, as `sv32` has it: the hart's level, SUM and MXR, and Svade."""
    who = np.int64(hart.csr.sstatus) & (SUM | MXR)
    if hart.priv == Level.S:
        who |= BY_S
    return who | SVADE if hart.root.svade else who


@njit
def permitted(hart, pte, access):
    """Whether a leaf's permissions allow the access at the hart's level."""
    return permission(pte, access, accessor(hart)) == 0


@njit
def _read_entry(where, at, _level):
    """The entry at physical `at`; charged, unless the walk is quiet."""
    hart, mem, quiet = where
    if not quiet:
        charge(hart, np.int64(Event.WALK_REF), 1)
    offset = ram_offset(mem, at, 4)
    if offset < 0:
        return -np.int64(Why.TABLE_OUTSIDE)
    if hart.fences:
        note_table(hart, offset)
    return np.int64(ram_words(mem)[offset >> 2])


_walk = compiled_walk(_read_entry)


@njit
def walk(hart, mem, va, access, quiet):
    """Translate `va` by the tables: the leaf's flags and frame as in a PTE, for 4 KiB.

    It sets A and D, or with Svade faults if they are clear. `quiet` neither sets them nor
    charges cycles.  PAGE_FAULT or ACCESS_FAULT if there is no translation.  SUPER marks a
    piece of a superpage.
    """
    root = (np.int64(hart.csr.satp) & SATP_PPN_MASK) << PAGE_SHIFT
    why, level, at, pte = _walk((hart, mem, quiet), root, va, access, accessor(hart))
    if why:
        return ACCESS_FAULT if why == Why.TABLE_OUTSIDE else PAGE_FAULT
    wanted = A | (D if access == STORE else 0)
    if pte & wanted != wanted and not quiet:
        pte |= wanted
        write_word(hart, mem, ram_offset(mem, at, 4), pte)
    return small_leaf(level, pte, va)


@njit
def _differs(hart, mem, va, access, held):
    """Whether the tables say of `va` other than the TLB; then the hart stops, for root to look."""
    if not fences_of(hart).on or mem.work > ENDLESS:  # nobody could look
        return False
    leaf = walk(hart, mem, va, access, True)
    if leaf >= 0 and leaf >> 10 == held >> 10:
        return False
    fences_of(hart).found = 1
    mem.work = min(mem.work, np.int64(0))
    return True


@njit
def _key(hart, va):
    return (va >> 12) | (np.int64(hart.csr.satp) >> SATP_ASID_SHIFT & ASID) << 20


@njit
def _leaf(hart, mem, va, access, keys, ptes, mask):
    """A permitted leaf for `va` from the modelled TLB or the tables, a fault, or DIFFERS."""
    e = (va >> 12) & mask
    key = _key(hart, va)
    if keys[e] == key or keys[e] == (va >> 12) | _GLOBAL_KEY:
        pte = np.int64(ptes[e])
        # If D is clear, walk again to set it.  If a permission is missing, walk again too: the
        # tables may allow by now what the entry does not.
        if permitted(hart, pte, access) and (access != STORE or pte & D):
            if hart.fences and _differs(hart, mem, va, access, pte):
                return np.int64(DIFFERS)
            return pte
    pte = walk(hart, mem, va, access, False)
    if pte < 0:
        return pte
    keys[e] = (va >> 12) | _GLOBAL_KEY if pte & G else key
    ptes[e] = pte
    if pte & SUPER:
        hart.tlb.supers = 1
    return pte


@njit
def translate_data(hart, mem, va, access, absolute):
    """The physical address of a data access, a fault, or DIFFERS; sets fast tags.

    `va` is aligned; `absolute` says that the base register was x0.
    """
    tlb = hart.tlb
    e = (va >> 12) & tlb.dmask
    pte = np.int64(R | W | A | D)
    pa = va
    if hart.csr.satp & PAGED:
        pte = _leaf(hart, mem, va, access, tlb.dkey, tlb.dpte, tlb.dmask)
        if pte < 0:
            tlb.rtag[e] = NO_TAG
            tlb.wtag[e] = NO_TAG
            return pte
        pa = pte >> 10 << 12 | va & 0xFFF
    page = pa & ~0xFFF
    frame_at = ram_offset(mem, page, PAGE)
    tlb.rtag[e] = NO_TAG
    tlb.wtag[e] = NO_TAG
    if frame_at < 0:
        return pa
    tlb.frame_at[e] = frame_at
    if hart.fences and hart.csr.satp & PAGED:
        return pa
    vpage = va & 0xFFFFF000
    context = tlb.ctx_r ^ (tlb.absolute if absolute else 0)
    if not hart.csr.satp & PAGED or permitted(hart, pte, LOAD):
        tlb.rtag[e] = context | vpage
    if not hart.csr.satp & PAGED or (permitted(hart, pte, STORE) and pte & D):
        reserved = hart.resv.addr >= 0 and hart.resv.addr & ~0xFFF == page
        if mem.frame_flags[frame_at // PAGE] == 0 and not reserved:
            tlb.wtag[e] = (tlb.ctx_w ^ (tlb.absolute if absolute else 0)) | vpage
    return pa


@njit
def hit_tag(tags, frame_at, context, va, low, dmask):
    """The RAM offset of an access of `low` + 1 bytes at `va`, or -1: the slow path must do it."""
    e = (va >> 12) & dmask
    if tags[e] != context | va & (0xFFFFF000 | low):
        return -1
    return np.int64(frame_at[e]) | va & 0xFFF


@njit
def translate_fetch(hart, mem, va):
    """The RAM frame from which instructions at `va` come, a fault, or DIFFERS."""
    pa = va
    if hart.csr.satp & PAGED:
        pte = _leaf(hart, mem, va, FETCH, hart.tlb.ikey, hart.tlb.ipte, hart.tlb.imask)
        if pte < 0:
            return pte
        pa = pte >> 10 << 12
    at = ram_offset(mem, pa & ~0xFFF, PAGE)
    return at // PAGE if at >= 0 else ACCESS_FAULT


@njit
def page_fault(access):
    """The exception code of a page fault on a LOAD, STORE or FETCH."""
    if access == FETCH:
        return np.int64(Exc.FETCH_PAGE)
    return np.int64(Exc.STORE_PAGE if access == STORE else Exc.LOAD_PAGE)


@njit
def access_fault(access):
    """The exception code of an access fault on a LOAD, STORE or FETCH."""
    if access == FETCH:
        return np.int64(Exc.INSN_ACCESS)
    return np.int64(Exc.STORE_ACCESS if access == STORE else Exc.LOAD_ACCESS)


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
        if keys[e] & _GLOBAL_KEY == 0:
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
        if asid >= 0 and (key & _GLOBAL_KEY or key >> 20 & ASID != asid):
            continue
        if va >= 0:
            apart = (key & 0xFFFFF) ^ (va >> 12)
            if apart >> 10 if ptes[e] & SUPER else apart:
                continue
        keys[e] = NO_TAG


@njit
def write_word(hart, mem, offset, value):
    """Store a word at a RAM offset for the machine itself (a PTE's A and D)."""
    ram_words(mem)[offset >> 2] = value
    if mem.frame_flags[offset // PAGE] & CODE:
        hart.stale = offset  # a run may be open there: `pool.settle` comes later
    if hart.resv.addr == offset + RAM_BASE:
        reserve(hart, -1)
