"""Answers for machine code: the words that the translator emits, one after another.

Must not know the guest.  Formats: RISC-V unprivileged manual, chapter 2.
"""

import numpy as np

from toyisa.compiled.njit import njit
from vmm.engines.bt.record import MAX_UNIT_WORDS, Aside, Site

ECALL = 0x73
NOP = 0x13
SPILL0 = 14  # window.Slot.SPILL0


@njit
def emit(bt, word, site):
    """Append a word, which belongs to the guest instruction that is being translated."""
    n = bt.filled
    if n >= MAX_UNIT_WORDS:
        return
    bt.b_word[n] = word & 0xFFFFFFFF
    bt.b_gpc[n] = bt.pc
    bt.b_insn[n] = 0
    bt.b_site[n] = site
    bt.b_inside[n] = 0 if bt.fresh else 1
    bt.b_index[n] = bt.done
    bt.b_aside[n] = _aside(bt, site)
    bt.begun = 1
    bt.fresh = 0
    bt.filled = n + 1


@njit
def _aside(bt, site):
    """The Aside of the next word."""
    if not bt.begun:
        return np.int64(Aside.JUMP if site == Site.EDGE else Aside.OWN)
    if site == Site.EMULATE or site >= Site.PREDICT:
        return np.int64(Aside.REDONE)
    return np.int64(Aside.APART)


@njit
def put(bt, word):
    emit(bt, word, Site.PLAIN)


@njit
def itype(opcode, funct3, rd, rs1, imm):
    return (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


@njit
def addi(bt, rd, rs1, imm):
    put(bt, itype(0x13, 0, rd, rs1, imm))


@njit
def andi(bt, rd, rs1, imm):
    put(bt, itype(0x13, 7, rd, rs1, imm))


@njit
def xori(bt, rd, rs1, imm):
    put(bt, itype(0x13, 4, rd, rs1, imm))


@njit
def slli(bt, rd, rs1, shift):
    put(bt, itype(0x13, 1, rd, rs1, shift))


@njit
def srli(bt, rd, rs1, shift):
    put(bt, itype(0x13, 5, rd, rs1, shift))


@njit
def rtype(bt, funct3, rd, rs1, rs2):
    put(bt, rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33)


@njit
def add(bt, rd, rs1, rs2):
    rtype(bt, 0, rd, rs1, rs2)


@njit
def sltu(bt, rd, rs1, rs2):
    rtype(bt, 3, rd, rs1, rs2)


@njit
def xor(bt, rd, rs1, rs2):
    rtype(bt, 4, rd, rs1, rs2)


@njit
def or_(bt, rd, rs1, rs2):
    rtype(bt, 6, rd, rs1, rs2)


@njit
def and_(bt, rd, rs1, rs2):
    rtype(bt, 7, rd, rs1, rs2)


@njit
def lui(bt, rd, value):
    put(bt, value & 0xFFFFF000 | rd << 7 | 0x37)


@njit
def li(bt, rd, value):
    """rd = a constant, in one word or two."""
    value &= 0xFFFFFFFF
    low = (value & 0xFFF ^ 0x800) - 0x800
    high = (value - low) & 0xFFFFF000
    if high == 0:
        addi(bt, rd, 0, low)
        return
    lui(bt, rd, high)
    if low:
        addi(bt, rd, rd, low)


@njit
def lw(bt, rd, slot):
    """rd = a word of the window."""
    put(bt, itype(0x03, 2, rd, 0, bt.first + 4 * slot))


@njit
def sw(bt, rs, slot):
    """A word of the window = rs."""
    imm = (bt.first + 4 * slot) & 0xFFF
    put(bt, (imm >> 5) << 25 | rs << 20 | 2 << 12 | (imm & 31) << 7 | 0x23)


@njit
def branch_word(funct3, rs1, rs2, offset):
    """beq 0, bne 1, blt 4, bge 5, bltu 6, bgeu 7, to `offset` bytes from here."""
    high = (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3F) << 25
    low = (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7
    return high | rs2 << 20 | rs1 << 15 | funct3 << 12 | low | 0x63


@njit
def jal_word(rd, offset):
    """jal to `offset` bytes from here."""
    high = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21
    return high | (offset >> 11 & 1) << 20 | (offset >> 12 & 0xFF) << 12 | rd << 7 | 0x6F


@njit
def csrr(bt, rd, number):
    put(bt, itype(0x73, 2, rd, 0, number))


@njit
def spill(bt, register, n):
    sw(bt, register, SPILL0 + n)


@njit
def unspill(bt, register, n):
    lw(bt, register, SPILL0 + n)


@njit
def callout(bt, site, insn):
    """Call root, which knows from the word's place what for."""
    emit(bt, ECALL, site)
    bt.b_insn[bt.filled - 1] = insn
