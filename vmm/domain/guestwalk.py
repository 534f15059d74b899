"""Answers for the guest's page tables: what they say of an address, and to whom.

The machine's walk (`toyisa.core.mmu.walk`) once more, through guest-physical memory and
for the virtual hart.  Must not know shadow tables.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.mmu import (
    ACCESS_FAULT,
    PAGE_FAULT,
    PAGED,
    STORE,
    SUPER,
    A,
    D,
    R,
    U,
    V,
    W,
    X,
    permitted,
)
from toyisa.core.work import WALK
from toyisa.tables.bits import PAGE_SHIFT, SATP_PPN_MASK
from toyisa.tables.cost import Event
from toyisa.tables.levels import Level
from vmm.domain.space import gfn_of, read_word, write_word


@njit
def walk_guest(vm, hart, mem, gva, access, quiet):
    """Translate `gva` for the virtual hart: the leaf's flags and frame as in a PTE.

    PAGE_FAULT or ACCESS_FAULT if the guest's tables have no translation.  Unless `quiet`, it
    sets A and D as the hart does.  `vm.walk` has the entries that it read.  With paging off
    the answer is a superpage that maps each address to itself.
    """
    mem.work -= WALK
    satp = np.int64(vm.hart.csr.satp)
    vm.walk.table = vm.walk.was = -1
    if not satp & PAGED:
        vm.walk.pte1 = _identity(vm, gva)
        return vm.walk.pte1 | (gva >> 12 & 0x3FF) << 10 | SUPER
    table = (satp & SATP_PPN_MASK) << PAGE_SHIFT
    for level in range(1, -1, -1):
        at = table + 4 * (gva >> (12 + 10 * level) & 0x3FF)
        pte = read_word(vm, mem, at)
        charge(hart, np.int64(Event.ROOT_WORD), 1)
        if pte < 0:
            return ACCESS_FAULT
        if not pte & V or (pte & (R | W)) == W:
            return PAGE_FAULT
        if pte & (R | X) == 0:
            if level == 0 or pte & (D | A | U):
                return PAGE_FAULT
            vm.walk.pte1 = pte
            table = pte >> 10 << 12
            vm.walk.table = gfn_of(vm, table)
            continue
        if not permitted(vm.hart, pte, access):
            return PAGE_FAULT
        if level == 1 and pte >> 10 & 0x3FF:
            return PAGE_FAULT
        wanted = A | (D if access == STORE else 0)
        if pte & wanted != wanted and vm.hart.root.svade:
            return PAGE_FAULT
        if pte & wanted != wanted and not quiet:
            vm.walk.was = pte
            pte |= wanted
            write_word(vm, hart, mem, at, pte)
            charge(hart, np.int64(Event.ROOT_WORD), 1)
        leaf = pte & 0xFF | pte >> 10 << 10
        if level == 1:
            vm.walk.pte1 = leaf
            vm.walk.table = -1
            leaf += (gva >> 12 & 0x3FF) << 10 | SUPER
        return leaf
    return PAGE_FAULT


@njit
def _identity(vm, gva):
    """The superpage entry that stands for "paging is off" around `gva`."""
    level = U if vm.hart.priv == Level.U else 0
    return (gva >> 22) << 20 | V | R | W | X | A | D | level


@njit
def gpa_of(leaf, gva):
    """The guest-physical address of `gva`, by this leaf."""
    return leaf >> 10 << 12 | gva & 0xFFF
