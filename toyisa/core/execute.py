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
runs began, ended and jumped, from which `pool.py` derives how often each
instruction ran.

A pair runs two instructions in one go; its arm leaves `i` at the second if that
one needs more than the inner loop.

How it stops in time.  A STOP op ends the run: one lies behind every page, another
is put for this run at `stop`, the exact instruction where the budget, root's
deadline or the timer falls (the op before it is parted, lest a pair run past it).
After a jump the same must hold, so a jump at or past `check` cycles starts a new run.
Every price is at least 1: what is `n` instructions away, is `n` cycles away or more.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, entry
from toyisa.core import access, alu
from toyisa.core.decode import operands, part
from toyisa.core.memory import POOL_MASK, STRIDE, WORDS, ram_bytes, ram_halves, ram_words
from toyisa.core.mmu import hit_tag
from toyisa.core.run import (
    ASK,
    CODE_STORE,
    FAULTED,
    FETCH_PAGE,
    JUMP,
    MEMORY,
    MISALIGNED,
    NEAR,
    NOTHING,
    RARE,
    accesses_memory,
    deadlines,
    exact_stop,
)  # fmt: skip
from toyisa.tables.exits import Reason
from toyisa.tables.ops import Op
from toyisa.tables.requests import Request

M = 0xFFFFFFFF
PLACE = 0xFFC  # the bits of an address that say which instruction of its page it is
VPAGE = 0xFFFFF000


@entry
def execute(hart, mem, _request, _first, _second):
    """Run from `hart.pc` until root must act; the exits.Reason, details in hart.exit.

    A unit: whatever loop root has, it calls this by its address.
    """
    x = hart.x
    uops, cum, flow, edge = mem.uops, mem.cum, mem.flow, mem.edge
    ram8, ram16, ram32 = ram_bytes(mem), ram_halves(mem), ram_words(mem)
    tlb = hart.tlb
    rtag, wtag, frame_at = tlb.rtag, tlb.wtag, tlb.frame_at
    xtag, xslot = tlb.xtag, tlb.xslot
    dmask, imask = tlb.dmask, tlb.imask
    target = np.int64(0)
    while True:
        slot = call_unit(mem.serve, hart, mem, Request.PREPARE, 0, 0)
        if slot < 0:
            return -1 - slot
        # Open a run.
        first = slot * STRIDE
        i = first + ((np.int64(hart.pc) & PLACE) >> 2)
        pc0 = np.int64(hart.pc) - 4 * i
        retired = hart.clock.instret - i
        spent = hart.clock.cycles - cum[i]
        cycles_left, instructions_left = deadlines(hart, mem)
        horizon = hart.clock.cycles + min(cycles_left, instructions_left)
        check = horizon - cum[first + WORDS]
        stop = exact_stop(cum, i, first + WORDS, cycles_left, instructions_left)
        stop_uop, before_uop = uops[stop], uops[stop - 1]
        if stop < first + WORDS:
            uops[stop] = Op.STOP
            part(mem, stop - 1)
        flow[i] += 1
        ctx_r, ctx_w, ctx_x, absolute = tlb.ctx_r, tlb.ctx_w, tlb.ctx_x, tlb.absolute
        event = NOTHING
        while True:
            event = NOTHING
            while True:
                at = i & POOL_MASK
                uop = uops[at]
                rd, a, b, imm = operands(x, uop)
                # fmt: off
                match uop & 0xFF:
                    case Op.STOP: break
                    # The compiler makes one jump table of the first 64 arms: the frequent ones.
                    # Pairs: the second operands are those of the next micro-op.
                    case Op.ADDI_ADDI:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.ADDI_ADD:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, b)
                    case Op.ADDI_LW:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]
                    case Op.ADDI_SW:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b
                    case Op.ADDI_JALR:
                        x[rd] = alu.add(a, imm); i += 1; event = JUMP; break
                    case Op.ADDI_BNE_NEAR:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a != b: event = NEAR; break
                    case Op.ADDI_BEQ_NEAR:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a == b: event = NEAR; break
                    case Op.ADDI_BLT_NEAR:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if alu.signed(a) < alu.signed(b): event = NEAR; break
                    case Op.ADDI_BLTU_NEAR:
                        x[rd] = alu.add(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a < b: event = NEAR; break
                    case Op.ADD_ADDI:
                        x[rd] = alu.add(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.ADD_ADD:
                        x[rd] = alu.add(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, b)
                    case Op.ADD_LW:
                        x[rd] = alu.add(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]
                    case Op.ADD_LBU:
                        x[rd] = alu.add(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram8[hit]
                    case Op.ADD_BNE_NEAR:
                        x[rd] = alu.add(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a != b: event = NEAR; break
                    case Op.LW_LW:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]
                    case Op.LW_ADDI:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.LW_ADD:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, b)
                    case Op.LW_XOR:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = a ^ b
                    case Op.LW_BNE_NEAR:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a != b: event = NEAR; break
                    case Op.SW_SW:
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b
                    case Op.SW_ADDI:
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.SLLI_ADD:
                        x[rd] = alu.sll(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, b)
                    case Op.SLLI_SRLI:
                        x[rd] = alu.sll(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.srl(a, imm)
                    case Op.SRLI_ADDI:
                        x[rd] = alu.srl(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.SRLI_XOR:
                        x[rd] = alu.srl(a, imm); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = a ^ b
                    case Op.XOR_SRLI:
                        x[rd] = a ^ b; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.srl(a, imm)
                    case Op.MUL_ADD:
                        x[rd] = alu.mul(a, b); i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, b)
                    case Op.LUI_ADDI:
                        x[rd] = imm & M; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        x[rd] = alu.add(a, imm)
                    case Op.LBU_BNE_NEAR:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram8[hit]; i += 1; rd, a, b, imm = operands(x, uops[at + 1])
                        if a != b: event = NEAR; break
                    # Branches and jumps to a target in this page, and those to any.
                    case Op.BEQ_NEAR:
                        if a == b: event = NEAR; break
                    case Op.BNE_NEAR:
                        if a != b: event = NEAR; break
                    case Op.BLT_NEAR:
                        if alu.signed(a) < alu.signed(b): event = NEAR; break
                    case Op.BGE_NEAR:
                        if alu.signed(a) >= alu.signed(b): event = NEAR; break
                    case Op.BLTU_NEAR:
                        if a < b: event = NEAR; break
                    case Op.BGEU_NEAR:
                        if a >= b: event = NEAR; break
                    case Op.JAL_NEAR:
                        x[rd] = (pc0 + 4 * at + 4) & M
                        event = NEAR; break
                    case Op.JALR:  event = JUMP; break
                    case Op.JAL:   event = JUMP; break
                    # Frequent arithmetic.
                    case Op.ADDI:  x[rd] = alu.add(a, imm)
                    case Op.ADD:   x[rd] = alu.add(a, b)
                    case Op.XOR:   x[rd] = a ^ b
                    case Op.SLLI:  x[rd] = alu.sll(a, imm)
                    case Op.SRLI:  x[rd] = alu.srl(a, imm)
                    case Op.ANDI:  x[rd] = a & imm & M
                    case Op.AND:   x[rd] = a & b
                    case Op.OR:    x[rd] = a | b
                    case Op.SUB:   x[rd] = alu.sub(a, b)
                    case Op.MUL:   x[rd] = alu.mul(a, b)
                    case Op.LUI:   x[rd] = imm & M
                    case Op.SLTIU: x[rd] = alu.sltu(a, imm & M)
                    case Op.SLTU:  x[rd] = alu.sltu(a, b)
                    case Op.AUIPC: x[rd] = (pc0 + 4 * at + imm) & M
                    case Op.SRAI:  x[rd] = alu.sra(a, imm)
                    # Frequent loads and stores.
                    case Op.LW:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]
                    case Op.LBU:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram8[hit]
                    case Op.SW:
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b
                    case Op.SB:
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 0, dmask)
                        if hit < 0: event = MEMORY; break
                        ram8[hit] = b & 0xFF
                    case Op.LHU:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 1, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram16[hit >> 1]
                    # The rest of each kind.
                    case Op.LB:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 0, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = alu.sext8(np.int64(ram8[hit]))
                    case Op.LH:
                        hit = hit_tag(rtag, frame_at, ctx_r, (a + imm) & M, 1, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = alu.sext16(np.int64(ram16[hit >> 1]))
                    case Op.SH:
                        hit = hit_tag(wtag, frame_at, ctx_w, (a + imm) & M, 1, dmask)
                        if hit < 0: event = MEMORY; break
                        ram16[hit >> 1] = b & 0xFFFF
                    case Op.BEQ:
                        if a == b: event = JUMP; break
                    case Op.BNE:
                        if a != b: event = JUMP; break
                    case Op.BLT:
                        if alu.signed(a) < alu.signed(b): event = JUMP; break
                    case Op.BGE:
                        if alu.signed(a) >= alu.signed(b): event = JUMP; break
                    case Op.BLTU:
                        if a < b: event = JUMP; break
                    case Op.BGEU:
                        if a >= b: event = JUMP; break
                    case Op.SLTI:  x[rd] = alu.slt(a, imm & M)
                    case Op.XORI:  x[rd] = (a ^ imm) & M
                    case Op.ORI:   x[rd] = (a | imm) & M
                    case Op.SLL:   x[rd] = alu.sll(a, b)
                    case Op.SLT:   x[rd] = alu.slt(a, b)
                    case Op.SRL:   x[rd] = alu.srl(a, b)
                    case Op.SRA:   x[rd] = alu.sra(a, b)
                    # x0 as the base, the only one that passes s_limit.
                    case Op.LW_ABS:
                        hit = hit_tag(rtag, frame_at, ctx_r ^ absolute, imm & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        x[rd] = ram32[hit >> 2]
                    case Op.SW_ABS:
                        hit = hit_tag(wtag, frame_at, ctx_w ^ absolute, imm & M, 3, dmask)
                        if hit < 0: event = MEMORY; break
                        ram32[hit >> 2] = b
                    case Op.MULH:  x[rd] = alu.mulh(a, b)
                    case Op.MULHSU: x[rd] = alu.mulhsu(a, b)
                    case Op.MULHU: x[rd] = alu.mulhu(a, b)
                    case Op.DIV:   x[rd] = alu.div(a, b)
                    case Op.DIVU:  x[rd] = alu.divu(a, b)
                    case Op.REM:   x[rd] = alu.rem(a, b)
                    case Op.REMU:  x[rd] = alu.remu(a, b)
                    case Op.FENCE: pass
                    case _: event = RARE; break
                # fmt: on
                i += 1
            if event == NEAR:
                at = i & POOL_MASK
                edge[at] += 1
                j = i + (uops[at] >> 34)
                retired += i + 1 - j
                spent += cum[at + 1] - cum[j & POOL_MASK]
                i = j
                if spent + cum[i & POOL_MASK] < check:
                    continue
                event = NOTHING
            elif event == JUMP:
                at = i & POOL_MASK
                uop = uops[at]
                pc = pc0 + 4 * at
                if uop & 0xFF == Op.JALR:
                    target = (np.int64(x[uop >> 16 & 0xFF]) + (uop >> 32)) & 0xFFFFFFFE
                else:
                    target = (pc + (uop >> 32)) & M
                if target & 2:
                    event = MISALIGNED
                    break
                if (target ^ pc) & VPAGE:
                    e = (target >> 12) & imask
                    if xtag[e] != ctx_x | target & VPAGE:
                        event = FETCH_PAGE
                        break
                    first = xslot[e]
                    pc0 = (target & VPAGE) - 4 * first
                    check = horizon - cum[(first + WORDS) & POOL_MASK]
                x[uop >> 8 & 0xFF] = (pc + 4) & M
                j = (first + ((target & PLACE) >> 2)) & POOL_MASK
                flow[at + 1] -= 1
                flow[j] += 1
                retired += i + 1 - j
                spent += cum[at + 1] - cum[j]
                i = j
                if spent + cum[j] < check:
                    continue
                event = NOTHING
            elif event == MEMORY or (event == RARE and accesses_memory(uops[i & POOL_MASK])):
                # Not covered by the fast tags; the run goes on if nothing else changed.
                hart.clock.cycles = spent + cum[i]
                hart.clock.instret = retired + i
                uop = uops[i & POOL_MASK]
                outcome = call_unit(mem.serve, hart, mem, Request.ACCESS, uop, 0)
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
        # Close the run.
        uops[stop], uops[stop - 1] = stop_uop, before_uop
        flow[i] -= 1
        hart.clock.cycles = spent + cum[i]
        hart.clock.instret = retired + i
        hart.pc = (pc0 + 4 * i) & M
        hart.fetch.tag = ctx_x | (pc0 + 4 * first) & VPAGE
        hart.fetch.frame = mem.owner[first // STRIDE]
        if hart.stale >= 0:
            call_unit(mem.serve, hart, mem, Request.SETTLE, 0, 0)
        if event != NOTHING:
            uop = uops[i & POOL_MASK]
            reason = call_unit(mem.serve, hart, mem, Request.HANDLE + event, uop, target)
            if reason != Reason.RUN:
                return reason
