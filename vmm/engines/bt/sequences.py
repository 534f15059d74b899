"""Answers for sensitive instructions that need no root: each is a few real instructions.

The virtual CSRs are words of the window.  Sometimes an instruction needs more, such as one
that turns interrupts on while one is pending.  Then the sequence branches to a stub, before
it has changed anything, and the stub calls root to do all of it.  Each function answers
whether there is such a sequence.  Registers that it uses are spilled and taken back.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.tables.bits import SSTATUS_SIE, SSTATUS_SUM
from toyisa.tables.csrs import BY_NAME
from toyisa.tables.fields import FUNCT3_AT
from vmm.engines.bt.emit import (
    add,
    addi,
    and_,
    andi,
    csrr,
    li,
    lw,
    or_,
    put,
    slli,
    sltu,
    spill,
    srli,
    sw,
    unspill,
    xor,
    xori,
)  # fmt: skip
from vmm.engines.bt.record import Site
from vmm.engines.bt.window import Slot
from vmm.engines.bt.words import BNE, WORD, branch_word, csr_of, rd_of, rs1_of

SSTATUS, SIE, STVEC, SSCRATCH, SEPC, STVAL, CYCLE, TIME, CYCLEH = (
    BY_NAME[name].number
    for name in (
        "sstatus", "sie", "stvec", "sscratch", "sepc", "stval", "cycle", "time", "cycleh",
    )
)  # fmt: skip
UPPER = CYCLEH ^ CYCLE  # the bit of a number that says: the upper half
WRITABLE, SIE_ALL = BY_NAME["sstatus"].writable, BY_NAME["sie"].writable
SEPC_ZERO, STVEC_ZERO = ~BY_NAME["sepc"].writable & WORD, ~BY_NAME["stvec"].writable & WORD
SUM_AT = SSTATUS_SUM.bit_length() - 1
SWAP, SET, CLEAR = 1, 2, 3  # funct3 without its immediate bit

# By a CSR's number: the window's word for it, or -1.
SLOT = np.full(1 << 12, -1, np.int64)
for _slot in Slot:
    if _slot.name.lower() in BY_NAME and _slot not in (Slot.SSTATUS, Slot.SIP):
        SLOT[BY_NAME[_slot.name.lower()].number] = _slot

SCRATCH = (5, 6, 7, 28)  # t0 t1 t2 t3: those of them that the instruction does not use


@njit
def scratch(rd, rs, n):
    """The n-th register that is neither `rd` nor `rs`."""
    for register in SCRATCH:
        if register != rd and register != rs:
            if n == 0:
                return np.int64(register)
            n -= 1
    return np.int64(29)


@njit
def unless(bt, branch, rs1, rs2, insn, spilled):
    """Branch to a stub that takes back `spilled` registers and calls root, if the condition
    holds.

    `spilled` has a register in each byte, the first spilled one lowest; 0 ends it.
    """
    bt.stub_insn[bt.stubs], bt.stub_spilled[bt.stubs] = insn, spilled
    to_stub(bt, branch_word(branch, rs1, rs2, 0), Site.EMULATE, bt.pc)


@njit
def to_stub(bt, branch, site, gpc):
    """Put a branch to a call of root, or to an edge, that is emitted in the end."""
    n = bt.stubs
    bt.stubs = n + 1
    bt.stub_from[n], bt.stub_gpc[n], bt.stub_index[n] = bt.filled, gpc, bt.done
    bt.stub_site[n] = site
    put(bt, branch)  # the offset comes later


@njit
def csr_inline(bt, insn, inline_time):
    """Emit a CSR instruction as a sequence, if there is one."""
    number, funct3 = csr_of(insn), insn >> FUNCT3_AT & 7
    rd, rs = rd_of(insn), rs1_of(insn)
    act, immediate = funct3 & 3, funct3 & 4 != 0
    reads_only = act != SWAP and rs == 0
    if number == SSTATUS:
        return _sstatus(bt, insn, act, immediate, rd, rs)
    if reads_only and inline_time and (number & ~(UPPER | CYCLE ^ TIME)) == CYCLE:
        return _read_time(bt, number, rd)
    slot = SLOT[number & 0xFFF]
    if slot < 0:
        return False
    if reads_only:
        if rd:
            lw(bt, rd, slot)
        else:
            addi(bt, 0, 0, 0)
        return True
    if number == SIE:
        return _write_sie(bt, insn, act, immediate, rd, rs)
    if number != STVEC and (number < SSCRATCH or number > STVAL):
        return False  # satp, stimecmp and others must be written by root
    return _write_word(bt, slot, number, act, immediate, rd, rs)


@njit
def _write_word(bt, slot, number, act, immediate, rd, rs):
    """sscratch sepc scause stval stvec: words without further meaning, except for low bits."""
    zero = SEPC_ZERO if number == SEPC else STVEC_ZERO if number == STVEC else 0
    plain = zero == 0
    if act == SWAP and not immediate and plain:
        if rd == 0:
            sw(bt, rs, slot)
            return True
        if rd != rs:
            lw(bt, rd, slot)
            sw(bt, rs, slot)
            return True
        t = scratch(rd, rs, 0)
        spill(bt, t, 0)
        lw(bt, t, slot)
        sw(bt, rs, slot)
        addi(bt, rd, t, 0)
        unspill(bt, t, 0)
        return True
    t, u = scratch(rd, rs, 0), scratch(rd, rs, 1)
    spill(bt, t, 0)
    spill(bt, u, 1)
    lw(bt, t, slot)
    _combine(bt, act, immediate, u, t, rs)
    if not plain:
        andi(bt, u, u, ~zero)
    sw(bt, u, slot)
    if rd:
        addi(bt, rd, t, 0)
    unspill(bt, t, 0)
    unspill(bt, u, 1)
    return True


@njit
def _combine(bt, act, immediate, new, old, rs):
    """new = what the instruction makes of `old` and its operand."""
    if immediate:
        addi(bt, new, 0, rs)
        if act == CLEAR:
            xori(bt, new, new, -1)
    elif act == CLEAR:
        xori(bt, new, rs, -1)
    else:
        addi(bt, new, rs, 0)
    if act == SET:
        or_(bt, new, new, old)
    elif act == CLEAR:
        and_(bt, new, new, old)


@njit
def _write_sie(bt, insn, act, immediate, rd, rs):
    """sie: inline unless something pending becomes enabled."""
    t, u, v = scratch(rd, rs, 0), scratch(rd, rs, 1), scratch(rd, rs, 2)
    spill(bt, t, 0)
    spill(bt, u, 1)
    spill(bt, v, 2)
    lw(bt, t, Slot.SIE)
    _combine(bt, act, immediate, u, t, rs)
    andi(bt, u, u, SIE_ALL)
    lw(bt, v, Slot.SIP)
    and_(bt, v, v, u)
    unless(bt, BNE, v, 0, insn, t | u << 8 | v << 16)
    sw(bt, u, Slot.SIE)
    sw(bt, 0, Slot.PENDING)
    if rd:
        addi(bt, rd, t, 0)
    unspill(bt, t, 0)
    unspill(bt, u, 1)
    unspill(bt, v, 2)
    return True


@njit
def _read_sstatus(bt, rd, t):
    """rd = sstatus, with `t` free to use."""
    lw(bt, rd, Slot.SSTATUS)
    lw(bt, t, Slot.VIF)
    or_(bt, rd, rd, t)


@njit
def _sstatus(bt, insn, act, immediate, rd, rs):
    t = scratch(rd, rs, 0)
    if act != SWAP and (rs == 0 or (immediate and not rs & SSTATUS_SIE)):
        if rd == 0:
            addi(bt, 0, 0, 0)
            return True
        spill(bt, t, 0)
        _read_sstatus(bt, rd, t)
        unspill(bt, t, 0)
        return True
    if not immediate:
        return _write_sstatus(bt, insn, act, rd, rs)
    if act == CLEAR:
        if rd:
            spill(bt, t, 0)
            _read_sstatus(bt, rd, t)
            unspill(bt, t, 0)
        sw(bt, 0, Slot.VIF)
        return True
    if act == SET:
        spill(bt, t, 0)
        lw(bt, t, Slot.PENDING)
        unless(bt, BNE, t, 0, insn, t)
        if rd:
            _read_sstatus(bt, rd, t)
        addi(bt, t, 0, SSTATUS_SIE)
        sw(bt, t, Slot.VIF)
        unspill(bt, t, 0)
        return True
    return False


@njit
def _write_sstatus(bt, insn, act, rd, rs):
    """sstatus from a register: inline unless SUM or MXR change, or an interrupt becomes
    possible.
    """
    t, u, v = scratch(rd, rs, 0), scratch(rd, rs, 1), scratch(rd, rs, 2)
    every = t | u << 8 | v << 16
    spill(bt, t, 0)
    spill(bt, u, 1)
    spill(bt, v, 2)
    _read_sstatus(bt, t, u)
    _combine(bt, act, False, u, t, rs)
    li(bt, v, np.int64(WRITABLE))
    and_(bt, u, u, v)  # only writable bits
    xor(bt, v, u, t)
    srli(bt, v, v, SUM_AT)  # SUM and MXR
    unless(bt, BNE, v, 0, insn, every)
    # SIE set and an interrupt pending: v = new SIE if PENDING is not 0, else 0.
    lw(bt, v, Slot.PENDING)
    sltu(bt, v, 0, v)
    slli(bt, v, v, 1)
    and_(bt, v, v, u)
    unless(bt, BNE, v, 0, insn, every)
    andi(bt, v, u, SSTATUS_SIE)
    sw(bt, v, Slot.VIF)
    andi(bt, u, u, ~SSTATUS_SIE)
    sw(bt, u, Slot.SSTATUS)
    if rd:
        addi(bt, rd, t, 0)
    unspill(bt, t, 0)
    unspill(bt, u, 1)
    unspill(bt, v, 2)
    return True


@njit
def _read_time(bt, number, rd):
    """time, cycle and their upper halves: the real counter plus the window's offset."""
    if rd == 0:
        addi(bt, 0, 0, 0)
        return True
    t, u, v = scratch(rd, 0, 0), scratch(rd, 0, 1), scratch(rd, 0, 2)
    spill(bt, t, 0)
    if not number & UPPER:
        csrr(bt, rd, number)
        lw(bt, t, Slot.OFFSET)
        add(bt, rd, rd, t)
        unspill(bt, t, 0)
        return True
    spill(bt, u, 1)
    spill(bt, v, 2)
    csrr(bt, t, number)  # again if the lower half wrapped in between
    csrr(bt, u, number & ~UPPER)
    csrr(bt, v, number)
    put(bt, branch_word(BNE, t, v, -12))
    lw(bt, v, Slot.OFFSET)
    add(bt, v, u, v)
    sltu(bt, u, v, u)  # the carry
    lw(bt, v, Slot.OFFSETH)
    add(bt, t, t, v)
    add(bt, rd, t, u)
    unspill(bt, t, 0)
    unspill(bt, u, 1)
    unspill(bt, v, 2)
    return True
