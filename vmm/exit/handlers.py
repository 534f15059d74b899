"""Answers for what an exit calls for: emulate, inject, fill a shadow entry.

Engines that deprivilege the guest do this with a trap.  A handler answers RUN, or the reason
for which the monitor's caller must act.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.decode import decode
from toyisa.core.kinds import is_sensitive
from toyisa.core.mmu import PAGE_FAULT, access_fault, page_fault
from toyisa.core.sv32 import FETCH, LOAD, STORE
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from vmm.domain.exits import Kind
from vmm.domain.guestwalk import gpa_of, walk_guest
from vmm.domain.space import gfn_of, offset_of
from vmm.exit.emulate import emulate_access, emulate_system
from vmm.exit.inject import forward_exception
from vmm.exit.virtualsbi import answer_guest_sbi
from vmm.paging.shadow.fill import fill
from vmm.paging.shadow.frames import traced


@njit
def handle_trap(vm, hart, mem):
    """The guest's hart trapped to root; `hart.exit` says why."""
    cause, tval = np.int64(hart.exit.cause), np.int64(hart.exit.tval)
    insn = np.int64(hart.exit.insn)
    if cause == Exc.ILLEGAL and is_sensitive(decode(insn, np.int64(0)) & 0xFF):
        return emulate_system(vm, hart, mem, insn)
    if cause == Exc.ECALL_S:
        return handle_sbi(vm, hart, mem)
    if cause == Exc.FETCH_PAGE:
        return handle_page_fault(vm, hart, mem, np.int64(FETCH), tval, insn)
    if cause == Exc.LOAD_PAGE:
        return handle_page_fault(vm, hart, mem, np.int64(LOAD), tval, insn)
    if cause == Exc.STORE_PAGE:
        return handle_page_fault(vm, hart, mem, np.int64(STORE), tval, insn)
    vm.vcpu.kind = np.int64(Kind.SYSCALL if cause == Exc.ECALL_U else Kind.EXCEPTION)
    return forward_exception(vm, hart, cause, tval, insn)


@njit
def handle_sbi(vm, hart, mem):
    """The guest's kernel calls its firmware."""
    vm.vcpu.kind = np.int64(Kind.SBI)
    vm.vcpu.hart.counts.exc[np.int64(Exc.ECALL_S)] += 1
    reason = answer_guest_sbi(vm, hart, mem)
    if reason != Reason.RUN:
        vm.vcpu.hart.counts.exc[np.int64(Exc.ECALL_S)] -= 1
    elif vm.vcpu.hart.root.one_trap:
        return np.int64(Reason.STEP)
    return reason


@njit
def handle_page_fault(vm, hart, mem, access, gva, insn):
    """The machine's walk of the shadow tables failed: the guest's tables say why."""
    leaf = walk_guest(vm, hart, mem, gva, access, False)
    if leaf < 0:
        vm.vcpu.kind = np.int64(Kind.TRUE_FAULT)
        cause = page_fault(access) if leaf == PAGE_FAULT else access_fault(access)
        return forward_exception(vm, hart, cause, gva, insn)
    gpa = gpa_of(leaf, gva)
    if offset_of(vm, gpa) >= 0:
        if access == STORE and traced(vm, gfn_of(vm, gpa)):
            return emulate_access(vm, hart, mem, insn, gva, gpa)
        vm.vcpu.kind = np.int64(Kind.HIDDEN_FAULT)
        vm.stats.fills += 1
        fill(vm, hart, mem, gva, leaf)
        if access != FETCH and vm.vcpu.walk.was == insn:  # it may have changed itself, and must
            return emulate_access(vm, hart, mem, insn, gva, gpa)  # not be fetched a second time
        return np.int64(Reason.RUN)
    if access == FETCH:
        vm.vcpu.kind = np.int64(Kind.EXCEPTION)
        return forward_exception(vm, hart, access_fault(access), gva, insn)
    return emulate_access(vm, hart, mem, insn, gva, gpa)
