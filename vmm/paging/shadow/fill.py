"""Answers for making shadow entries: the leaf for a fault, and the tables on the way to it.

A *view* says what one kind of code may do with the pages of a guest's tables:

    DIRECT      the guest's code itself runs: all permissions as in the guest's tables
    KERNEL      translated kernel code runs: nothing of the guest's can be executed
    KERNEL_MXR  the same with virtual MXR set: what can be executed can be read

A shadow entry is never global: a real address space is one root table in one view.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.sv32 import A, D, R, U, V, W, X
from toyisa.tables.bits import FLAGS, PTE_G
from vmm.domain.exits import ShadowEvent
from vmm.domain.guestwalk import gpa_of
from vmm.domain.record import SPLIT, TABLE, pages
from vmm.domain.space import gfn_of
from vmm.domain.stats import log_shadow
from vmm.paging.shadow.frames import (
    DIRECT,
    KERNEL_MXR,
    find,
    take,
    traced,
)  # fmt: skip
from vmm.paging.shadow.link import BASE_PPN, get_entry, mfn_of, set_entry

_FLAGS = FLAGS & ~PTE_G  # of a guest's superpage entry: shadow tables differ in these, in all but G


@njit
def leaf_flags(vm, view, leaf, gfn):
    """The flags of a shadow entry for a guest leaf; 0 if the view cannot use the leaf."""
    flags = leaf & (R | W | X | U)
    if not leaf & D or traced(vm, gfn):
        flags &= ~W  # the first store must be noticed, to set D; or every store
    if view != DIRECT:
        if view == KERNEL_MXR and flags & X:
            flags |= R
        flags &= ~X
    if flags & (R | X) == 0:
        return 0
    return flags | V | A | D


@njit
def fill(vm, hart, mem, gva, leaf):
    """Make the shadow entry for `gva`; the last walk found its guest leaf, which is in RAM."""
    shadow = vm.shadow
    root = shadow.root
    view = np.int64(shadow.aspect[root])
    if vm.vcpu.walk.table >= 0:
        role, key = np.int64(TABLE), np.int64(vm.vcpu.walk.table)
    else:
        role, key = np.int64(SPLIT), vm.vcpu.walk.pte1 & ~0x3FF | vm.vcpu.walk.pte1 & _FLAGS
    index = gva >> 22
    if view != DIRECT and shadow.region and index == shadow.slot:
        return  # the monitor's window: nothing of the guest's is visible there
    entry = get_entry(vm, mem, root, index)
    table = mfn_of(entry) - shadow.start if entry & V else np.int64(-1)
    if table < 0 or shadow.role[table] != role or shadow.key[table] != key:
        table = find(vm, view, role, key)
        if table < 0:
            table = take(vm, hart, mem, view, role, key)
        set_entry(vm, hart, mem, root, index, V | (BASE_PPN + shadow.start + table) << 10)
    shadow.unused[table] = 0
    log_shadow(vm, hart, np.int64(ShadowEvent.FILL), gva, leaf)
    set_leaf(vm, hart, mem, table, gva >> 12 & 0x3FF, leaf)


@njit
def set_leaf(vm, hart, mem, table, index, leaf):
    """Write the shadow entry for a guest leaf with A set, or none if there is no RAM."""
    gfn = gfn_of(vm, gpa_of(leaf, 0))
    pte = np.int64(0)
    if gfn >= 0 and pages(vm)[gfn].mfn >= 0:
        flags = leaf_flags(vm, np.int64(vm.shadow.aspect[table]), leaf, gfn)
        if flags:
            pte = flags | (BASE_PPN + np.int64(pages(vm)[gfn].mfn)) << 10
    set_entry(vm, hart, mem, table, index, pte)
