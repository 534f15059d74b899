"""Answers for what the system instructions do: CSRs, environment calls, returns.

They are called with the hart's state in its record, and no run open.  Must not know how the
interpreter executes other instructions.  Each function leaves `hart.pc` at the next
instruction and answers RUN, or pends an exception and answers FAULT, or answers the reason
for going to root.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core import csr
from toyisa.core.clock import charge, timer_deadline, virtual_time
from toyisa.core.interrupts import pending_bits
from toyisa.core.kinds import is_csr
from toyisa.core.meter import mark
from toyisa.core.mmu import walk
from toyisa.core.state import NEVER
from toyisa.core.sv32 import LOAD, STORE
from toyisa.core.tlb import PAGED, drop_fast_tags, flush
from toyisa.core.trap import pend, pend_root, return_from_s
from toyisa.core.work import count_flush
from toyisa.tables.bits import ASID
from toyisa.tables.causes import Exc, Irq
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.levels import Level, Profile, STraps
from toyisa.tables.ops import SINK, Op

FAULT = -1


@njit
def _denied(hart, group, insn):
    """Whether the level may not use what `group` of s_traps guards; then the exception is
    pended.
    """
    if hart.priv == Level.U:
        pend(hart, np.int64(Exc.ILLEGAL), insn)
        return True
    if hart.root.s_traps & group:
        pend_root(hart, np.int64(Exc.ILLEGAL), insn)
        return True
    return False


@njit
def _csr_insn(hart, op, rd, rs1, number, insn):
    """csrrw csrrs csrrc and their immediate forms."""
    immediate = op == Op.CSRRWI or op == Op.CSRRSI or op == Op.CSRRCI
    swap = op == Op.CSRRW or op == Op.CSRRWI
    reads = not swap or rd != SINK
    writes = swap or rs1 != 0  # "if rs1=x0, then the instruction will not write"
    verdict = csr.access(hart, number, reads, writes)
    if verdict == csr.ILLEGAL:
        pend(hart, np.int64(Exc.ILLEGAL), insn)
        return FAULT
    if verdict == csr.TO_ROOT:
        pend_root(hart, np.int64(Exc.ILLEGAL), insn)
        return FAULT
    if not csr.is_trap_csr(number):
        charge(hart, np.int64(Event.SERIALIZE), 1)
    operand = rs1 if immediate else np.int64(hart.x[rs1])
    old = csr.read(hart, number) if reads else np.int64(0)
    if writes and verdict != csr.DROP:
        if swap:
            value = operand
        elif op == Op.CSRRS or op == Op.CSRRSI:
            value = old | operand
        else:
            value = old & ~operand
        csr.write(hart, number, value)
    if reads:
        hart.x[rd] = old
    return 0


@njit
def _probe(hart, mem, op, va, insn):
    """probe.r, probe.w: may this level load or store a byte there?  -1 if denied."""
    leaky = hart.root.profile != Profile.STRICT
    if hart.priv == Level.U and hart.root.profile != Profile.LEAKY_USER:
        pend(hart, np.int64(Exc.ILLEGAL), insn)
        return -1
    if hart.priv == Level.S and hart.root.s_traps & STraps.CSR and not leaky:
        pend_root(hart, np.int64(Exc.ILLEGAL), insn)
        return -1
    if not hart.csr.satp & PAGED:
        return 1
    return 1 if walk(hart, mem, va, LOAD if op == Op.PROBE_R else STORE, True) >= 0 else 0


@njit
def wait(hart):
    """wfi: nothing if an interrupt is pending and enabled, otherwise skip to the next one.

    "WFI ... resumes if there are any pending and enabled interrupts, regardless of the global
    enable"; the skipped time is idle.  If root wants the hart for that time, it only becomes
    known here how long it is: the instruction retires, and `still_waits` stops the hart then.
    """
    if hart.csr.sie & pending_bits(hart):
        return np.int64(Reason.RUN)
    wake, timer = hart.root.deadline, np.int64(NEVER)
    if hart.csr.sie >> Irq.TIMER & 1:
        timer = timer_deadline(hart)
    skipped = max(min(wake, timer) - virtual_time(hart), 0)
    if hart.root.waits:
        hart.root.pause = skipped
        return np.int64(Reason.RUN)
    if timer >= NEVER and wake >= min(hart.root.limit, np.int64(NEVER)):
        return np.int64(Reason.IDLE)  # the limit at which the machine is stopped wakes nobody
    hart.clock.idle += skipped
    return np.int64(Reason.RUN)


@njit
def _fence_vma(hart, mem, rs1, rs2):
    va = np.int64(hart.x[rs1]) if rs1 else np.int64(-1)
    asid = np.int64(hart.x[rs2]) & ASID if rs2 else np.int64(-1)
    flush(hart, va, asid)
    count_flush(hart, mem)


@njit
def retire(hart, op):
    """Count an instruction that was executed outside a run, and spend its price."""
    hart.clock.instret += 1
    hart.clock.cycles += hart.price.op[op]
    hart.counts.op[op] += 1


@njit
def execute_system(hart, mem, uop, insn):
    """Execute one system instruction at `hart.pc`: RUN, FAULT, or a reason for root."""
    op = uop & 0xFF
    rd = uop >> 8 & 0xFF
    rs1 = uop >> 16 & 0xFF
    following = (np.int64(hart.pc) + 4) & 0xFFFFFFFF
    if op == Op.ECALL:
        pend(hart, np.int64(Exc.ECALL_S if hart.priv == Level.S else Exc.ECALL_U), 0)
        return FAULT
    if op == Op.EBREAK:
        pend(hart, np.int64(Exc.BREAKPOINT), np.int64(hart.pc))
        return FAULT
    if is_csr(op):
        if _csr_insn(hart, op, rd, rs1, uop >> 32, insn) < 0:
            return FAULT
        if uop >> 32 == csr.CYCLE:
            mark(hart, mem)
    elif op == Op.SRET:
        if _denied(hart, np.int64(STraps.SRET), insn):
            return FAULT
        return_from_s(hart)
        following = np.int64(hart.pc)
    elif op == Op.WFI:
        if _denied(hart, np.int64(STraps.WFI), insn):
            return FAULT
        reason = wait(hart)
        if reason != Reason.RUN:
            return reason
    elif op == Op.SFENCE_VMA:
        if _denied(hart, np.int64(STraps.SATP), insn):
            return FAULT
        _fence_vma(hart, mem, rs1, uop >> 24 & 0xFF)
    elif op == Op.FENCE_I:
        drop_fast_tags(hart)  # fetch again; the decode pool is always up to date
        count_flush(hart, mem)
    elif op == Op.PROBE_R or op == Op.PROBE_W:
        answer = _probe(hart, mem, op, np.int64(hart.x[rs1]), insn)
        if answer < 0:
            return FAULT
        hart.x[rd] = answer
    else:
        pend(hart, np.int64(Exc.ILLEGAL), insn)
        return FAULT
    retire(hart, op)
    hart.pc = following
    return np.int64(Reason.RUN)


