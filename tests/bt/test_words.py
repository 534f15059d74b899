"""The translator's words are those that the instruction table encodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compilers import plain
from toyisa.tables.insns import BY_NAME
from vmm.engines.bt import words

regs = st.integers(0, 31)


@pytest.mark.parametrize("name", ["addi", "andi", "xori", "lw", "jalr"])
@given(regs, regs, st.integers(-2048, 2047))
def test_i(name, rd, rs1, imm):
    row = BY_NAME[name]
    operands = (rd, imm, rs1) if "(" in row.operands else (rd, rs1, imm)
    assert plain(words.i_word)(row.match, rd, rs1, imm) == row.encode(*operands)


@given(regs, regs, st.integers(-2048, 2047))
def test_s(rs2, rs1, imm):
    assert plain(words.s_word)(words.SW, rs2, rs1, imm) == BY_NAME["sw"].encode(rs2, imm, rs1)


@given(regs, regs, regs)
def test_r(rd, rs1, rs2):
    row = BY_NAME["sltu"]
    assert plain(words.r_word)(words.SLTU, rd, rs1, rs2) == row.encode(rd, rs1, rs2)


@pytest.mark.parametrize("name", ["beq", "bne", "bge"])
@given(regs, regs, st.integers(-2048, 2047))
def test_branch(name, rs1, rs2, half):
    row, to = BY_NAME[name], 2 * half
    assert plain(words.branch_word)(row.match, rs1, rs2, to) == row.encode(rs1, rs2, to)


@given(regs, st.integers(-(1 << 19), (1 << 19) - 1))
def test_jal(rd, half):
    assert plain(words.jal_word)(rd, 2 * half) == BY_NAME["jal"].encode(rd, 2 * half)


@given(regs, st.integers(0, 0xFFFFFFFF))
def test_lui_and_addi_make_every_value(rd, value):
    high, low = plain(words.high_of)(value), plain(words.low_of)(value)
    assert (high + low) & 0xFFFFFFFF == value
    assert plain(words.lui_word)(rd, high) == BY_NAME["lui"].encode(rd, high >> 12)
