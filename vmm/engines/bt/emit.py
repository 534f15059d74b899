"""Answers for machine code: the words that the translator emits, one after another.

Must not know the guest, nor how a word is made of its operands (`words.py`).
"""

import numpy as np

from toyisa.compiled.njit import njit
from vmm.engines.bt.record import MAX_UNIT_WORDS, Aside, Site
from vmm.engines.bt.window import Slot
from vmm.engines.bt.words import (
    ADD,
    ADDI,
    AND,
    ANDI,
    CSRRS,
    ECALL,
    LW,
    OR,
    SLLI,
    SLTU,
    SRLI,
    SW,
    WORD,
    XOR,
    XORI,
    high_of,
    i_word,
    low_of,
    lui_word,
    r_word,
    s_word,
)  # fmt: skip


@njit
def emit(bt, word, site):
    """Append a word, which belongs to the guest instruction that is being translated."""
    n = bt.filled
    if n >= MAX_UNIT_WORDS:
        return
    bt.b_word[n] = word & WORD
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
def addi(bt, rd, rs1, imm):
    put(bt, i_word(ADDI, rd, rs1, imm))


@njit
def andi(bt, rd, rs1, imm):
    put(bt, i_word(ANDI, rd, rs1, imm))


@njit
def xori(bt, rd, rs1, imm):
    put(bt, i_word(XORI, rd, rs1, imm))


@njit
def slli(bt, rd, rs1, shift):
    put(bt, i_word(SLLI, rd, rs1, shift))


@njit
def srli(bt, rd, rs1, shift):
    put(bt, i_word(SRLI, rd, rs1, shift))


@njit
def add(bt, rd, rs1, rs2):
    put(bt, r_word(ADD, rd, rs1, rs2))


@njit
def sltu(bt, rd, rs1, rs2):
    put(bt, r_word(SLTU, rd, rs1, rs2))


@njit
def xor(bt, rd, rs1, rs2):
    put(bt, r_word(XOR, rd, rs1, rs2))


@njit
def or_(bt, rd, rs1, rs2):
    put(bt, r_word(OR, rd, rs1, rs2))


@njit
def and_(bt, rd, rs1, rs2):
    put(bt, r_word(AND, rd, rs1, rs2))


@njit
def lui(bt, rd, value):
    put(bt, lui_word(rd, value))


@njit
def li(bt, rd, value):
    """rd = a constant, in one word or two."""
    low, high = low_of(value), high_of(value)
    if high == 0:
        addi(bt, rd, 0, low)
        return
    lui(bt, rd, high)
    if low:
        addi(bt, rd, rd, low)


@njit
def lw(bt, rd, slot):
    """rd = a word of the window."""
    put(bt, i_word(LW, rd, 0, bt.first + 4 * slot))


@njit
def sw(bt, rs, slot):
    """A word of the window = rs."""
    put(bt, s_word(SW, rs, 0, bt.first + 4 * slot))


@njit
def csrr(bt, rd, number):
    put(bt, i_word(CSRRS, rd, 0, number))


@njit
def spill(bt, register, n):
    sw(bt, register, Slot.SPILL0 + n)


@njit
def unspill(bt, register, n):
    lw(bt, register, Slot.SPILL0 + n)


@njit
def callout(bt, site, insn):
    """Call root, which knows from the word's place what for."""
    emit(bt, ECALL, site)
    bt.b_insn[bt.filled - 1] = insn
