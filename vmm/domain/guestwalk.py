"""Answers for the guest's page tables: what they say of an address, and to whom.

By the rules of `toyisa.core.sv32`, through guest-physical memory and for the virtual hart.
Must not know shadow tables.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.mmu import ACCESS_FAULT, PAGE_FAULT, accessor
from toyisa.core.sv32 import (
    STORE,
    SUPER,
    A,
    D,
    R,
    U,
    V,
    W,
    Why,
    X,
    compiled_walk,
    small_leaf,
)  # fmt: skip
from toyisa.core.tlb import PAGED
from toyisa.core.work import WALK
from toyisa.tables.bits import PAGE_SHIFT, SATP_PPN_MASK
from toyisa.tables.cost import Event
from toyisa.tables.levels import Level
from vmm.domain.space import gfn_of, read_word, write_word


@njit
def _read_entry(where, at, level):
    """The guest's entry at guest-physical `at`, noted and charged."""
    vm, hart, mem = where
    pte = read_word(vm, mem, at)
    charge(hart, np.int64(Event.ROOT_WORD), 1)
    if level == 1:
        vm.vcpu.walk.pte1 = pte
    else:
        vm.vcpu.walk.table = gfn_of(vm, at)
    return pte if pte >= 0 else -np.int64(Why.TABLE_OUTSIDE)


_walk = compiled_walk(_read_entry)


@njit
def walk_guest(vm, hart, mem, gva, access, quiet):
    """Translate `gva` for the virtual hart: the leaf's flags and frame as in a PTE.

    PAGE_FAULT or ACCESS_FAULT if the guest's tables have no translation.  Unless `quiet`, it
    sets A and D as the hart does.  `vm.vcpu.walk` has the entries that it read.  With paging off
    the answer is a superpage that maps each address to itself.
    """
    mem.work -= WALK
    satp = np.int64(vm.vcpu.hart.csr.satp)
    vm.vcpu.walk.table = vm.vcpu.walk.was = -1
    if not satp & PAGED:
        vm.vcpu.walk.pte1 = _identity(vm, gva)
        return vm.vcpu.walk.pte1 | (gva >> 12 & 0x3FF) << 10 | SUPER
    root = (satp & SATP_PPN_MASK) << PAGE_SHIFT
    why, level, at, pte = _walk((vm, hart, mem), root, gva, access, accessor(vm.vcpu.hart))
    if why:
        return ACCESS_FAULT if why == Why.TABLE_OUTSIDE else PAGE_FAULT
    wanted = A | (D if access == STORE else 0)
    if pte & wanted != wanted and not quiet:
        vm.vcpu.walk.was = pte
        pte |= wanted
        write_word(vm, hart, mem, at, pte)
        charge(hart, np.int64(Event.ROOT_WORD), 1)
    if level == 1:
        vm.vcpu.walk.pte1 = pte & 0xFF | pte >> 10 << 10
    return small_leaf(level, pte, gva)


@njit
def _identity(vm, gva):
    """The superpage entry that stands for "paging is off" around `gva`."""
    level = U if vm.vcpu.hart.priv == Level.U else 0
    return (gva >> 22) << 20 | V | R | W | X | A | D | level


@njit
def gpa_of(leaf, gva):
    """The guest-physical address of `gva`, by this leaf."""
    return leaf >> 10 << 12 | gva & 0xFFF
