"""Answers for what a trap from translated code, or from a user, calls for.

Must not know what a machine pc means for the guest (`leave.py`), nor how the guest is entered
again (`enter.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.access import access_kind, access_size
from toyisa.core.decode import decode
from toyisa.core.kinds import is_branch, is_sensitive, plain_op
from toyisa.core.mmu import PAGE_FAULT, access_fault, page_fault
from toyisa.core.sv32 import LOAD, STORE
from toyisa.core.system import retire
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from toyisa.tables.ops import Op
from vmm.domain.exits import Kind
from vmm.domain.guestwalk import gpa_of, walk_guest
from vmm.engines.bt.adapt import adapt, may_revert
from vmm.engines.bt.leave import MISSED
from vmm.engines.bt.move import meet_window
from vmm.engines.bt.record import Count, Site
from vmm.engines.bt.targets import jalr_of, new_target
from vmm.engines.bt.translate import base_op
from vmm.engines.bt.words import rd_of, rs1_of
from vmm.exit.emulate import emulate_access, emulate_system
from vmm.exit.handlers import handle_page_fault, handle_sbi, handle_trap
from vmm.exit.inject import forward_exception


@njit
def handle(vm, hart, mem, bt):
    """The guest trapped; RUN, or the reason for which the caller must act."""
    if not bt.in_code:
        return handle_trap(vm, hart, mem)
    cause, tval = np.int64(hart.exit.cause), np.int64(hart.exit.tval)
    insn = np.int64(hart.exit.insn)
    if cause == Exc.ECALL_S:
        return _callout(vm, hart, mem, bt)
    if cause == Exc.LOAD_PAGE or cause == Exc.STORE_PAGE:
        access = np.int64(LOAD if cause == Exc.LOAD_PAGE else STORE)
        reason = handle_page_fault(vm, hart, mem, access, tval, insn)
        if reason == Reason.RUN and (vm.vcpu.kind == Kind.TRACE or vm.vcpu.kind == Kind.MMIO):
            adapt(hart, mem, bt, insn)
        return reason
    if cause == Exc.LOAD_ACCESS or cause == Exc.STORE_ACCESS:  # the address is in the window
        reason = access_by_root(vm, hart, mem, insn, tval)
        if reason == Reason.RUN and vm.vcpu.kind == Kind.CALLOUT:
            meet_window(vm, hart, mem, bt)
        return reason
    if cause == Exc.ILLEGAL and is_sensitive(decode(insn, np.int64(0)) & 0xFF):
        return emulate_system(vm, hart, mem, insn)  # a read of the time that is copied unchanged
    vm.vcpu.kind = np.int64(Kind.EXCEPTION)
    return forward_exception(vm, hart, cause, tval, insn)


@njit
def _callout(vm, hart, mem, bt):
    """Translated code called root."""
    vm.vcpu.kind = np.int64(Kind.CALLOUT)
    word = bt.at
    if word == MISSED:
        bt.hold = 1
        bt.count[Count.MISSES] += 1
        return np.int64(Reason.RUN)
    site = bt.site[word]
    if site == Site.EDGE or site == Site.COUNTDOWN:
        bt.at = -1  # to be looked up
    if site == Site.EDGE:
        bt.link = word
    elif site == Site.EMULATE:
        bt.count[Count.EMULATED] += 1
        return _emulate(vm, hart, mem, np.int64(bt.insn[word]))
    elif site >= Site.PREDICT:
        return _predict(vm, hart, mem, bt, word)
    elif site == Site.ACCESS:
        bt.count[Count.ACCESSES] += 1
        insn = np.int64(bt.insn[word])
        gva = (np.int64(hart.x[rs1_of(insn)]) + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFF
        reason = access_by_root(vm, hart, mem, insn, gva)
        may_revert(vm, hart, mem, bt, word, insn)
        if reason == Reason.RUN and vm.vcpu.kind == Kind.CALLOUT and rs1_of(insn) == 0:
            meet_window(vm, hart, mem, bt)
        return reason
    return np.int64(Reason.RUN)


@njit
def access_by_root(vm, hart, mem, insn, gva):
    """Do a load or store of the guest's kernel at `gva`, wherever that is."""
    op = plain_op(decode(insn, np.int64(0)) & 0xFF)
    access = access_kind(op)
    vm.vcpu.kind = np.int64(Kind.CALLOUT)
    if gva & (access_size(op) - 1):
        cause = np.int64(Exc.STORE_MISALIGNED if access == STORE else Exc.LOAD_MISALIGNED)
        return forward_exception(vm, hart, cause, gva, insn)
    leaf = walk_guest(vm, hart, mem, gva, access, False)
    if leaf < 0:
        vm.vcpu.kind = np.int64(Kind.TRUE_FAULT)
        cause = page_fault(access) if leaf == PAGE_FAULT else access_fault(access)
        return forward_exception(vm, hart, cause, gva, insn)
    return emulate_access(vm, hart, mem, insn, gva, gpa_of(leaf, gva))


@njit
def _emulate(vm, hart, mem, insn):
    """Emulate one instruction of the guest's kernel that its translation leaves to root."""
    op = base_op(insn)
    if is_sensitive(op):
        return emulate_system(vm, hart, mem, insn)
    if op == Op.ECALL:
        return handle_sbi(vm, hart, mem)
    pc = np.int64(vm.vcpu.hart.pc)
    vm.vcpu.kind = np.int64(Kind.EXCEPTION)
    if op == Op.EBREAK:
        return forward_exception(vm, hart, np.int64(Exc.BREAKPOINT), pc, insn)
    if op == Op.JALR:
        return _jalr(vm, hart, insn)
    if op == Op.JAL or is_branch(op):  # it comes here only if its target is misaligned
        target = (pc + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFF
        return forward_exception(vm, hart, np.int64(Exc.INSN_MISALIGNED), target, insn)
    return forward_exception(vm, hart, np.int64(Exc.ILLEGAL), insn, insn)


@njit
def _predict(vm, hart, mem, bt, word):
    """An indirect jump to where it has not been: it will be tried with this target, too."""
    insn = jalr_of(bt, word)
    target = (np.int64(hart.x[rs1_of(insn)]) + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFF
    if target & 3 == 0:
        bt.link = new_target(hart, mem, bt, word, target)
        bt.at = -1
    return _jalr(vm, hart, insn)


@njit
def _jalr(vm, hart, insn):
    """An indirect jump to an odd address, or one that is stepped."""
    virtual = vm.vcpu.hart
    target = (np.int64(hart.x[rs1_of(insn)]) + (decode(insn, np.int64(0)) >> 32)) & 0xFFFFFFFE
    if target & 2:
        return forward_exception(vm, hart, np.int64(Exc.INSN_MISALIGNED), target, insn)
    if rd_of(insn):
        hart.x[rd_of(insn)] = (np.int64(virtual.pc) + 4) & 0xFFFFFFFF
    retire(virtual, np.int64(Op.JALR))
    virtual.pc = target
    vm.vcpu.kind = np.int64(Kind.CALLOUT)
    return np.int64(Reason.RUN)
