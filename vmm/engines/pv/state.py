"""Answers for moving the guest's state between the virtual hart and its places while the guest
runs: trap registers in the real hart, the interrupt flag in the window.

While root runs, the virtual hart has the truth.  What the guest wrote into the window is its
own virtual state and nothing else.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import virtual_time
from toyisa.core.interrupts import pending_bits
from toyisa.core.memory import ram_words
from toyisa.core.sv32 import SUM
from toyisa.core.tlb import PAGED, recontext
from toyisa.core.trap import SIE, SPIE, SPP
from toyisa.tables.bits import SATP_ASID_MASK
from toyisa.tables.causes import Exc
from toyisa.tables.levels import Level
from vmm.abi.hypercalls import Word
from vmm.paging.direct.validate import BASE_PPN

SOON = 32  # units of virtual time after which a deferred interrupt is tried again

OUTSIDE, ENTERING, LEAVING = 0, 1, 2


@njit
def critical(vm, pv):
    """Whether no virtual interrupt may be delivered where the guest is: a Zone.

    That holds in the registered ranges, and at the first instruction of the trap entry: there
    a delegated ecall has cleared the real flag, and not yet the window's.
    """
    pc = np.int64(vm.vcpu.hart.pc)
    if vm.vcpu.hart.priv != Level.S:
        return OUTSIDE
    if pv.first[1] <= pc < pv.last[1]:
        return LEAVING
    if pc == vm.vcpu.hart.csr.stvec or pv.first[0] <= pc < pv.last[0]:
        return ENTERING
    return OUTSIDE


@njit
def take_state(vm, hart, mem, pv):
    """The guest has left the real hart: copy its state into the virtual one."""
    virtual, csr, words = vm.vcpu.hart, vm.vcpu.hart.csr, ram_words(mem)
    virtual.pc, virtual.priv = hart.pc, hart.priv
    csr.sepc, csr.scause = hart.csr.sepc, hart.csr.scause
    csr.stval, csr.sscratch = hart.csr.stval, hart.csr.sscratch
    flag = SIE if words[pv.words + Word.VIF] else 0
    pv.held = 0
    if critical(vm, pv) != OUTSIDE:
        pv.held, flag = flag, 0
    csr.sstatus = SUM | np.int64(words[pv.words + Word.STATUS]) & (SPP | SPIE) | flag
    # System calls that went through the fast gate.
    virtual.counts.exc[np.int64(Exc.ECALL_U)] += hart.counts.exc[np.int64(Exc.ECALL_U)]
    hart.counts.exc[np.int64(Exc.ECALL_U)] = 0


@njit
def put_state(vm, hart, mem, pv):
    """Make the real hart ready to continue the guest."""
    virtual, csr, words = vm.vcpu.hart, vm.vcpu.hart.csr, ram_words(mem)
    status = np.int64(csr.sstatus)
    flag = status & SIE
    pending = pending_bits(virtual) & np.int64(csr.sie)
    zone = critical(vm, pv)
    if zone != OUTSIDE:
        flag |= pv.held
        # On the way out the guest may have looked at PENDING already, and will not look again.
        if pending and (flag or zone == LEAVING):
            pv.deferred += 1
            hart.root.deadline = min(hart.root.deadline, virtual_time(virtual) + SOON)
    words[pv.words + Word.VIF] = flag
    words[pv.words + Word.PENDING] = pending
    words[pv.words + Word.STATUS] = status & (SPP | SPIE)
    hart.pc, hart.priv = virtual.pc, virtual.priv
    hart.csr.sepc, hart.csr.scause = csr.sepc, csr.scause
    hart.csr.stval, hart.csr.sscratch = csr.stval, csr.sscratch
    hart.csr.stvec = csr.stvec
    hart.csr.sstatus = SUM  # SPP stays 0: an sret can only go to U
    hart.csr.satp = PAGED | np.int64(csr.satp) & SATP_ASID_MASK | (BASE_PPN + vm.direct.root)
    recontext(hart)
