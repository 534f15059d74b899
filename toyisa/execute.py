"""Answers for running instructions: the interpreter's loop.

One arm of `match` an op; what an arithmetic op computes is in `alu.py`, all that
is not plain (a TLB miss, a CSR, a trap) is done outside the inner loop, which
calls nothing.  Must not know devices, firmware or what root does.

How it counts.  A *run* is a stretch of micro-ops executed in one slot of the
decode pool: `i` steps through it, and what the guest sees is derived from `i`:

    pc      = pc0     + 4 * i
    instret = retired + i
    cycles  = spent   + cum[i]          cum: cycles of the page up to here

so a plain instruction updates no counter.  A taken near branch moves `i` and
corrects `retired` and `spent` by the difference; `flow` and `edge` remember where
runs began, ended and jumped, from which `decode.fold` derives how often each
instruction ran.

How it stops in time.  `stop` ends the run at the page's end, or earlier at the
exact instruction where the budget, root's deadline or the timer falls.  After a
jump the same must hold, so a jump at or past `check` cycles starts a new run.
Every price is at least 1: what is `n` instructions away, is `n` cycles away or more.
"""

import numpy as np

from toyisa import access, alu
from toyisa.causes import Exc
from toyisa.clock import timer_deadline, virtual_time
from toyisa.decode import settle, slot_of
from toyisa.devices import TX_FULL
from toyisa.exits import Reason
from toyisa.memory import (
    PAGE, POOL_MASK, STRIDE, WORDS, ram_bytes, ram_halves, ram_words,
)  # fmt: skip
from toyisa.mmu import FETCH, PAGE_FAULT, access_fault, page_fault, translate_fetch
from toyisa.njit import entry, njit
from toyisa.ops import Op
from toyisa.state import NEVER
from toyisa.system import FAULT, execute_system, retire
from toyisa.trap import (
    next_interrupt, pend, raise_pending, take_interrupt, takes_interrupts,
)  # fmt: skip

# What interrupts a run.
NOTHING, JUMP, MEMORY, SYSTEM, MISALIGNED, CODE_STORE, FAULTED, ASK = range(8)
M = 0xFFFFFFFF
PLACE = 0xFFC  # the bits of an address that say which instruction of its page it is
VPAGE = 0xFFFFF000


@njit
def _fetch(hart, mem):
    """The slot of the page at `hart.pc`, or -1 with a fetch exception pended."""
    va = np.int64(hart.pc)
    tag = hart.tlb.ctx_x | (va & 0xFFFFF000)
    if hart.fetch.tag != tag:
        frame = translate_fetch(hart, mem, va)
        settle(hart, mem)
        if frame < 0:
            pend(hart, page_fault(FETCH) if frame == PAGE_FAULT else access_fault(FETCH), va)
            hart.fetch.tag = -1
            return -1
        hart.fetch.tag = tag
        hart.fetch.frame = frame
        slot = slot_of(hart, mem, frame)
        e = (va >> 12) & hart.tlb.imask
        hart.tlb.xtag[e] = tag
        hart.tlb.xslot[e] = slot * STRIDE
        return slot
    return slot_of(hart, mem, hart.fetch.frame)


@njit
def insn_at_pc(hart, mem):
    """The word at `hart.pc`, whose page was fetched from last."""
    return np.int64(ram_words(mem)[(hart.fetch.frame * PAGE + (np.int64(hart.pc) & 0xFFC)) >> 2])


@njit
def _prepare(hart, mem):
    """Before a run: root's stops, interrupts, the fetch.  The slot, or -1 - reason."""
    while True:
        if mem.console.halted:
            return -1 - np.int64(Reason.HALTED)
        if mem.console.tx_len >= TX_FULL:
            return -1 - np.int64(Reason.OUTPUT)
        if virtual_time(hart) >= hart.root.deadline:
            return -1 - np.int64(Reason.DEADLINE)
        if hart.clock.instret >= hart.root.budget:
            return -1 - np.int64(Reason.BUDGET)
        irq = next_interrupt(hart)
        if irq >= 0:
            take_interrupt(hart, irq)
            if hart.root.one_trap:
                return -1 - np.int64(Reason.STEP)
        slot = _fetch(hart, mem)
        if slot >= 0:
            return slot
        reason = raise_pending(hart, np.int64(0))
        if reason != Reason.RUN:
            return -1 - reason


@njit
def _left(hart):
    """Cycles, and instructions, until root, a timer or the budget must be looked at."""
    now = virtual_time(hart)
    left = min(hart.root.deadline - now, np.int64(NEVER))
    if hart.csr.sie >> 5 & 1 and hart.root.deleg_int >> 5 & 1 and takes_interrupts(hart):
        left = min(left, timer_deadline(hart) - now)
    budget = min(hart.root.budget - hart.clock.instret, np.int64(NEVER))
    if hart.clock.icount:
        return np.int64(NEVER), min(budget, left)
    return left, budget


@njit
def _exact_stop(cum, i, end, cycles, instructions):
    """The first place where a run from `i` must stop: page end, or what is left."""
    stop = min(end, i + instructions)
    if cum[stop] - cum[i] > cycles:
        low, high = i + 1, stop  # the smallest k with cum[k] - cum[i] >= cycles
        while low < high:
            k = (low + high) >> 1
            if cum[k] - cum[i] >= cycles:
                high = k
            else:
                low = k + 1
        stop = low
    return stop


@njit
def _settle_event(hart, mem, event, uop, target):
    """What interrupted a run, with the run closed: RUN, or the reason for root."""
    insn = insn_at_pc(hart, mem)
    if event == SYSTEM:
        reason = execute_system(hart, mem, uop, insn)
        return reason if reason != FAULT else raise_pending(hart, insn)
    if event == CODE_STORE:
        if access.access_memory(hart, mem, uop, True) <= access.RESYNC:
            retire(hart, uop & 0xFF)
            hart.pc = (np.int64(hart.pc) + 4) & M
            return np.int64(Reason.RUN)
    if event == ASK:
        return np.int64(Reason.INPUT)
    if event == MISALIGNED:
        pend(hart, np.int64(Exc.INSN_MISALIGNED), target)
    return raise_pending(hart, insn)


@njit
def _hit(tags, frame_at, context, va, low, dmask):
    """The RAM offset of an access of `low` + 1 bytes at `va`, or -1: not by this path."""
    e = (va >> 12) & dmask
    if tags[e] != context | va & (VPAGE | low):
        return -1
    return np.int64(frame_at[e]) | va & 0xFFF


@entry
def execute(hart, mem):
    """Run from `hart.pc` until root must act; the exits.Reason, details in hart.exit."""
    x = hart.x
    uops, cum, flow, edge = mem.uops, mem.cum, mem.flow, mem.edge
    ram8, ram16, ram32 = ram_bytes(mem), ram_halves(mem), ram_words(mem)
    tlb = hart.tlb
    rtag, wtag, frame_at = tlb.rtag, tlb.wtag, tlb.base
    xtag, xslot = tlb.xtag, tlb.xslot
    dmask, imask = tlb.dmask, tlb.imask
    target = np.int64(0)
    link = np.int64(0)
    while True:
        slot = _prepare(hart, mem)
        if slot < 0:
            return -1 - slot
        # Open a run.
        first = slot * STRIDE
        i = first + ((np.int64(hart.pc) & PLACE) >> 2)
        pc0 = np.int64(hart.pc) - 4 * i
        retired = hart.clock.instret - i
        spent = hart.clock.cycles - cum[i]
        cycles_left, instructions_left = _left(hart)
        horizon = hart.clock.cycles + min(cycles_left, instructions_left)
        check = horizon - cum[first + WORDS]
        stop = _exact_stop(cum, i, first + WORDS, cycles_left, instructions_left)
        flow[i] += 1
        ctx_r, ctx_w, ctx_x, absolute = tlb.ctx_r, tlb.ctx_w, tlb.ctx_x, tlb.absolute
        event = NOTHING
        while True:
            event = NOTHING
            while i < stop:
                uop = uops[i & POOL_MASK]
                rd = uop >> 8 & 0xFF
                a = np.int64(x[uop >> 16 & 0xFF])
                b = np.int64(x[uop >> 24 & 0xFF])
                imm = uop >> 32
                match uop & 0xFF:
                    case Op.LUI:
                        x[rd] = imm & M
                    case Op.AUIPC:
                        x[rd] = (pc0 + 4 * i + imm) & M
                    case Op.ADDI:
                        x[rd] = alu.add(a, imm)
                    case Op.SLTI:
                        x[rd] = alu.slt(a, imm & M)
                    case Op.SLTIU:
                        x[rd] = alu.sltu(a, imm & M)
                    case Op.XORI:
                        x[rd] = (a ^ imm) & M
                    case Op.ORI:
                        x[rd] = (a | imm) & M
                    case Op.ANDI:
                        x[rd] = a & imm & M
                    case Op.SLLI:
                        x[rd] = alu.sll(a, imm)
                    case Op.SRLI:
                        x[rd] = alu.srl(a, imm)
                    case Op.SRAI:
                        x[rd] = alu.sra(a, imm)
                    case Op.ADD:
                        x[rd] = alu.add(a, b)
                    case Op.SUB:
                        x[rd] = alu.sub(a, b)
                    case Op.SLL:
                        x[rd] = alu.sll(a, b)
                    case Op.SLT:
                        x[rd] = alu.slt(a, b)
                    case Op.SLTU:
                        x[rd] = alu.sltu(a, b)
                    case Op.XOR:
                        x[rd] = a ^ b
                    case Op.SRL:
                        x[rd] = alu.srl(a, b)
                    case Op.SRA:
                        x[rd] = alu.sra(a, b)
                    case Op.OR:
                        x[rd] = a | b
                    case Op.AND:
                        x[rd] = a & b
                    case Op.MUL:
                        x[rd] = alu.mul(a, b)
                    case Op.MULH:
                        x[rd] = alu.mulh(a, b)
                    case Op.MULHSU:
                        x[rd] = alu.mulhsu(a, b)
                    case Op.MULHU:
                        x[rd] = alu.mulhu(a, b)
                    case Op.DIV:
                        x[rd] = alu.div(a, b)
                    case Op.DIVU:
                        x[rd] = alu.divu(a, b)
                    case Op.REM:
                        x[rd] = alu.rem(a, b)
                    case Op.REMU:
                        x[rd] = alu.remu(a, b)
                    case Op.FENCE:
                        pass
                    # Loads and stores; _ABS has x0 as its base, the only one that passes s_limit.
                    case Op.LB:
                        at = _hit(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = alu.sext8(np.int64(ram8[at]))
                    case Op.LH:
                        at = _hit(rtag, frame_at, ctx_r, (a + imm) & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = alu.sext16(np.int64(ram16[at >> 1]))
                    case Op.LW:
                        at = _hit(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram32[at >> 2]
                    case Op.LBU:
                        at = _hit(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram8[at]
                    case Op.LHU:
                        at = _hit(rtag, frame_at, ctx_r, (a + imm) & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram16[at >> 1]
                    case Op.SB:
                        at = _hit(wtag, frame_at, ctx_w, (a + imm) & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram8[at] = b & 0xFF
                    case Op.SH:
                        at = _hit(wtag, frame_at, ctx_w, (a + imm) & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram16[at >> 1] = b & 0xFFFF
                    case Op.SW:
                        at = _hit(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram32[at >> 2] = b
                    case Op.LB_ABS:
                        at = _hit(rtag, frame_at, ctx_r ^ absolute, imm & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = alu.sext8(np.int64(ram8[at]))
                    case Op.LH_ABS:
                        at = _hit(rtag, frame_at, ctx_r ^ absolute, imm & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = alu.sext16(np.int64(ram16[at >> 1]))
                    case Op.LW_ABS:
                        at = _hit(rtag, frame_at, ctx_r ^ absolute, imm & M, 3, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram32[at >> 2]
                    case Op.LBU_ABS:
                        at = _hit(rtag, frame_at, ctx_r ^ absolute, imm & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram8[at]
                    case Op.LHU_ABS:
                        at = _hit(rtag, frame_at, ctx_r ^ absolute, imm & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        x[rd] = ram16[at >> 1]
                    case Op.SB_ABS:
                        at = _hit(wtag, frame_at, ctx_w ^ absolute, imm & M, 0, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram8[at] = b & 0xFF
                    case Op.SH_ABS:
                        at = _hit(wtag, frame_at, ctx_w ^ absolute, imm & M, 1, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram16[at >> 1] = b & 0xFFFF
                    case Op.SW_ABS:
                        at = _hit(wtag, frame_at, ctx_w ^ absolute, imm & M, 3, dmask)
                        if at < 0:
                            event = MEMORY
                            break
                        ram32[at >> 2] = b
                    # Branches and jumps to a target in this page.
                    case Op.BEQ_NEAR:
                        if a == b:
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.BNE_NEAR:
                        if a != b:
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.BLT_NEAR:
                        if alu.signed(a) < alu.signed(b):
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.BGE_NEAR:
                        if alu.signed(a) >= alu.signed(b):
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.BLTU_NEAR:
                        if a < b:
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.BGEU_NEAR:
                        if a >= b:
                            edge[i] += 1
                            j = i + (imm >> 2)
                            retired += i + 1 - j
                            spent += cum[i + 1] - cum[j]
                            i = j
                            if spent + cum[i] >= check:
                                break
                            continue
                    case Op.JAL_NEAR:
                        x[rd] = (pc0 + 4 * i + 4) & M
                        edge[i] += 1
                        j = i + (imm >> 2)
                        retired += i + 1 - j
                        spent += cum[i + 1] - cum[j]
                        i = j
                        if spent + cum[i] >= check:
                            break
                        continue
                    # Those whose target may be in another page, or misaligned.
                    case Op.BEQ:
                        if a == b:
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.BNE:
                        if a != b:
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.BLT:
                        if alu.signed(a) < alu.signed(b):
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.BGE:
                        if alu.signed(a) >= alu.signed(b):
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.BLTU:
                        if a < b:
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.BGEU:
                        if a >= b:
                            target = (pc0 + 4 * i + imm) & M
                            link = 32
                            event = JUMP
                            break
                    case Op.JAL:
                        target = (pc0 + 4 * i + imm) & M
                        link = rd
                        event = JUMP
                        break
                    case Op.JALR:
                        target = (a + imm) & 0xFFFFFFFE
                        link = rd
                        event = JUMP
                        break
                    case (
                        Op.ECALL | Op.EBREAK | Op.SRET | Op.WFI | Op.SFENCE_VMA | Op.FENCE_I
                        | Op.CSRRW | Op.CSRRS | Op.CSRRC | Op.CSRRWI | Op.CSRRSI | Op.CSRRCI
                        | Op.PROBE_R | Op.PROBE_W | Op.ILLEGAL
                    ):
                        event = SYSTEM
                        break
                    case _:  # the atomics
                        event = MEMORY
                        break
                i += 1
            if event == JUMP:
                if target & 2:
                    event = MISALIGNED
                    break
                x[link] = (pc0 + 4 * i + 4) & M
                flow[i + 1] -= 1
                retired += i + 1
                spent += np.int64(cum[i + 1])
                if (target ^ (pc0 + 4 * i)) & VPAGE:
                    e = (target >> 12) & imask
                    if xtag[e] != ctx_x | target & VPAGE:
                        # Not a page that is known: close the run in front of it.
                        hart.fetch.tag = ctx_x | (pc0 + 4 * i) & VPAGE
                        hart.fetch.frame = mem.owner[first // STRIDE]
                        hart.clock.cycles = spent
                        hart.clock.instret = retired
                        hart.pc = target
                        break
                    first = xslot[e]
                i = first + ((target & PLACE) >> 2)
                pc0 = target - 4 * i
                retired -= i
                spent -= cum[i]
                flow[i] += 1
                stop = first + WORDS
                check = horizon - cum[stop]
                if spent + cum[i] < check:
                    continue
                event = NOTHING
            elif event == MEMORY:
                # Not covered by the fast tags; the run goes on if nothing else changed.
                hart.clock.cycles = spent + cum[i]
                hart.clock.instret = retired + i
                outcome = access.access_memory(hart, mem, uops[i & POOL_MASK], False)
                spent = hart.clock.cycles - cum[i]
                ctx_w = tlb.ctx_w
                if outcome == access.DONE or outcome == access.RESYNC:
                    event = NOTHING
                    i += 1
                    if outcome == access.DONE and spent + cum[i] < check:
                        continue
                elif outcome == access.FAULT:
                    event = FAULTED
                elif outcome == access.CODE_STORE:
                    event = CODE_STORE
                else:
                    event = ASK
            break
        if event == JUMP:
            continue  # already closed
        # Close the run.
        flow[i] -= 1
        hart.clock.cycles = spent + cum[i]
        hart.clock.instret = retired + i
        hart.pc = (pc0 + 4 * i) & M
        hart.fetch.tag = ctx_x | (pc0 + 4 * first) & VPAGE
        hart.fetch.frame = mem.owner[first // STRIDE]
        settle(hart, mem)
        if event != NOTHING:
            reason = _settle_event(hart, mem, event, uops[i & POOL_MASK], target)
            if reason != Reason.RUN:
                return reason
