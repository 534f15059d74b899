"""Answers for virtual addresses: the TLB is looked up, and a miss walks the tables.

Must not know instructions, nor the rules of a walk (`sv32.py`), nor how entries are dropped
(`tlb.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
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
from toyisa.core.tlb import GLOBAL_KEY, PAGED, reserve
from toyisa.core.work import ENDLESS
from toyisa.tables.bits import (
    ASID,
    PAGE_SHIFT,
    SATP_ASID_SHIFT,
    SATP_PPN_MASK,
)  # fmt: skip
from toyisa.tables.causes import Exc
from toyisa.tables.cost import Event
from toyisa.tables.levels import Level

# Answers of `walk` and `translate` that are not addresses.
PAGE_FAULT, ACCESS_FAULT = -1, -2
DIFFERS = -3  # no fault: the TLB says other than the tables, and root wants to look (fences.py)


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
    if keys[e] == key or keys[e] == (va >> 12) | GLOBAL_KEY:
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
    keys[e] = (va >> 12) | GLOBAL_KEY if pte & G else key
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
def write_word(hart, mem, offset, value):
    """Store a word at a RAM offset for the machine itself (a PTE's A and D)."""
    ram_words(mem)[offset >> 2] = value
    if mem.frame_flags[offset // PAGE] & CODE:
        hart.stale = offset  # a run may be open there: `decodepool.settle` comes later
    if hart.resv.addr == offset + RAM_BASE:
        reserve(hart, -1)
