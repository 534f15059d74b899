"""Answers for real satp: the root shadow table of the virtual hart's address space, and its ASID.

A change of the guest's satp is a change of root; whatever the machine's TLB holds of other
roots stays there, under their ASIDs, if it is tagged.  Must not know how entries are made
(`fill.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.tlb import PAGED, forget_spaces
from toyisa.tables.bits import PAGE_SHIFT, SATP_ASID_SHIFT, SATP_PPN_MASK
from vmm.domain.asids import id_of
from vmm.domain.host import host_of
from vmm.domain.record import ROOT, pages
from vmm.domain.space import gfn_of
from vmm.paging.shadow.frames import NOWHERE, PAGING_OFF_S, PAGING_OFF_U, find, take
from vmm.paging.shadow.link import BASE_PPN


@njit
def select_root(vm, hart, mem, view):
    """Point real satp at the shadow of the virtual hart's address space."""
    satp = np.int64(vm.vcpu.hart.csr.satp)
    if satp & PAGED:
        key = gfn_of(vm, (satp & SATP_PPN_MASK) << PAGE_SHIFT)
        if key < 0 or pages(vm)[key].mfn < 0:
            key = np.int64(NOWHERE)
    else:
        key = np.int64(PAGING_OFF_S if vm.vcpu.hart.priv else PAGING_OFF_U)
    root = find(vm, view, ROOT, key)
    if root < 0:
        root = take(vm, hart, mem, view, ROOT, key)
    vm.shadow.root = root
    asid = id_of(host_of(vm).asids, hart, mem, vm.shadow.space, root)
    real = PAGED | asid << SATP_ASID_SHIFT
    real |= BASE_PPN + vm.shadow.start + root
    if real != hart.csr.satp and not hart.tlb.tagged:
        forget_spaces(hart)  # as the machine's own write of satp does
    hart.csr.satp = real
