"""Answers for emulating one instruction of the guest: on its virtual hart.

The machine's slow path executes it there; the registers that it names are copied in and out.
Must not know exits, nor which engine runs the guest.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, njit
from toyisa.core.access import ASK, FAULT, access_kind, access_size
from toyisa.core.clock import charge, virtual_time
from toyisa.core.csr import CYCLE, INSTRET, SATP, UPPER
from toyisa.core.decode import decode
from toyisa.core.decodepool import retired_aside
from toyisa.core.fences import note_edit
from toyisa.core.kinds import plain_op
from toyisa.core.memory import RAM_BASE, ram_words
from toyisa.core.meter import mark
from toyisa.core.sv32 import LOAD, STORE
from toyisa.core.system import retire
from toyisa.core.tlb import PAGED, flush
from toyisa.core.tohost import stored_tohost
from toyisa.core.work import count_flush
from toyisa.tables.causes import Exc
from toyisa.tables.cost import Event
from toyisa.tables.csrs import ACCESS_AT, READ_ONLY
from toyisa.tables.exits import Reason
from toyisa.tables.levels import Level, Profile
from toyisa.tables.ops import Op
from toyisa.tables.requests import Request
from vmm.domain.changes import CODE_CHANGED, note_change
from vmm.domain.exits import Kind
from vmm.domain.guestwalk import walk_guest
from vmm.domain.record import pages
from vmm.domain.space import gfn_of, offset_of
from vmm.exit.inject import raise_in_guest
from vmm.paging.shadow.frames import traced
from vmm.paging.shadow.trace import table_written


@njit
def kind_of(op, number):
    """The kind of exit of a system op; `number` is a CSR instruction's."""
    if op == Op.SRET:
        return np.int64(Kind.SRET)
    if op == Op.WFI:
        return np.int64(Kind.WFI)
    if op == Op.SFENCE_VMA:
        return np.int64(Kind.FENCE)
    if op == Op.PROBE_R or op == Op.PROBE_W:
        return np.int64(Kind.PROBE)
    if number == SATP:
        return np.int64(Kind.SATP)
    return np.int64(Kind.COUNTER if number >> ACCESS_AT == READ_ONLY else Kind.CSR)


@njit
def emulate_system(vm, hart, mem, insn):
    """Execute the system instruction `insn`, at the guest's pc, for the guest; the reason."""
    virtual = vm.vcpu.hart
    uop = decode(insn, np.int64(0))
    op, rd, rs1, rs2 = uop & 0xFF, uop >> 8 & 0xFF, uop >> 16 & 0xFF, uop >> 24 & 0xFF
    vm.vcpu.kind = kind_of(op, uop >> 32)
    charge(hart, np.int64(Event.ROOT_EMULATE), 1)
    for register in (rd, rs1, rs2):
        virtual.x[register] = hart.x[register]
    if (op == Op.PROBE_R or op == Op.PROBE_W) and _may_probe(virtual):
        return _probe(vm, hart, mem, op, rd, rs1)
    traps = virtual.counts.exc[np.int64(Exc.ILLEGAL)]
    others = np.int64(0)  # instructions that are not the guest's, among those retired
    if vm.vcpu.kind == Kind.COUNTER and (uop >> 32) & ~UPPER == INSTRET:
        others = retired_aside(hart, mem)
    virtual.clock.instret -= others
    reason = call_unit(vm.platform.serve, virtual, vm.platform, Request.SYSTEM, uop, insn)
    virtual.clock.instret += others
    hart.x[rd] = virtual.x[rd]
    if virtual.counts.exc[np.int64(Exc.ILLEGAL)] != traps:
        vm.vcpu.kind = np.int64(Kind.EXCEPTION)
        vm.stats.injected += 1
    elif vm.vcpu.kind == Kind.COUNTER and uop >> 32 == CYCLE:
        mark(hart, mem)
    elif op == Op.SFENCE_VMA:
        flush(hart, np.int64(hart.x[rs1]) if rs1 else np.int64(-1), -1)
        count_flush(hart, mem)
    return reason


@njit
def _may_probe(virtual):
    return virtual.priv == Level.S or virtual.root.profile == Profile.LEAKY_USER


@njit
def _probe(vm, hart, mem, op, rd, rs1):
    """probe.r, probe.w: what the guest's own tables and level allow."""
    answer = np.int64(1)
    if vm.vcpu.hart.csr.satp & PAGED:
        access = np.int64(LOAD if op == Op.PROBE_R else STORE)
        answer = 1 if walk_guest(vm, hart, mem, np.int64(hart.x[rs1]), access, True) >= 0 else 0
    hart.x[rd] = answer
    _complete(vm.vcpu.hart, op)
    return np.int64(Reason.RUN)


@njit
def _complete(virtual, op):
    """The instruction was executed: count it and go to the next one."""
    retire(virtual, op)
    virtual.pc = (np.int64(virtual.pc) + 4) & 0xFFFFFFFF


@njit
def emulate_access(vm, hart, mem, insn, gva, gpa):
    """Do the load, store or atomic `insn` at guest-physical `gpa` for the guest; the reason.

    In RAM this is a store to a traced frame, or an instruction that has changed itself.
    Elsewhere it is an access to a virtual device.
    """
    uop = decode(insn, np.int64(0))
    op = plain_op(uop & 0xFF)
    charge(hart, np.int64(Event.ROOT_EMULATE), 1)
    at = offset_of(vm, gpa)
    if at < 0:
        return _emulate_device(vm, hart, uop, op, insn, gva, gpa)
    if traced(vm, gfn_of(vm, gpa)):
        vm.vcpu.kind = np.int64(Kind.TRACE)
    call_unit(mem.serve, hart, mem, Request.ACCESS_AT, uop, RAM_BASE + at)
    vm.vcpu.hart.resv.addr = hart.resv.addr  # for lr.w and sc.w: the guest does it
    charge(hart, np.int64(Event.ROOT_WORD), 1)
    stored(vm, hart, mem, gpa)
    if access_kind(op) == STORE and not (op == Op.SC_W and hart.x[uop >> 8 & 0xFF]):
        told_host(vm, mem, gpa, access_size(op))
    _complete(vm.vcpu.hart, op)
    return np.int64(Reason.RUN)


@njit
def stored(vm, hart, mem, gpa):
    """Guest RAM at `gpa` was stored to for the guest: update what depends on it."""
    gfn = gfn_of(vm, gpa)
    if gfn < 0 or not traced(vm, gfn):
        return
    if vm.vcpu.hart.fences:
        note_edit(vm.vcpu.hart, gpa, np.int64(vm.vcpu.hart.pc))
    if pages(vm)[gfn].code:
        note_change(vm, CODE_CHANGED | gpa)
    table_written(vm, hart, mem, gfn, gpa)


@njit
def told_host(vm, mem, gpa, size):
    """`size` bytes at `gpa` were stored: if that is HTIF's `tohost`, root must look at it."""
    console = vm.platform.console
    if gfn_of(vm, gpa) == vm.tohost and console.tohost <= gpa < console.tohost + 8:
        low = np.int64(ram_words(mem)[offset_of(vm, console.tohost) >> 2])
        stored_tohost(console, gpa - console.tohost, size, low, virtual_time(vm.vcpu.hart))


@njit
def _emulate_device(vm, hart, uop, op, insn, gva, gpa):
    vm.vcpu.kind = np.int64(Kind.MMIO)
    virtual = vm.vcpu.hart
    rd, rs2 = uop >> 8 & 0xFF, uop >> 24 & 0xFF
    virtual.x[rd], virtual.x[rs2] = hart.x[rd], hart.x[rs2]
    result = call_unit(vm.platform.serve, virtual, vm.platform, Request.ACCESS_AT, uop, gpa)
    if result == ASK:
        return np.int64(Reason.INPUT if vm.platform.request.pa < 0 else Reason.DEVICE)
    if result == FAULT:
        virtual.pending.tval = gva
        vm.vcpu.kind = np.int64(Kind.EXCEPTION)
        return raise_in_guest(vm, hart, insn)
    hart.x[rd] = virtual.x[rd]
    _complete(virtual, op)
    return np.int64(Reason.RUN)
