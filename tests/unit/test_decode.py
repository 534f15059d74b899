"""The decoder's micro-ops say what the fields of the table say, for every row."""

import itertools

import pytest
from hypothesis import given, settings

from toyisa.core.decode import decode, first_op
from toyisa.core.memory import WORDS
from toyisa.tables.fields import Kind
from toyisa.tables.insns import BY_NAME, INSNS, find
from toyisa.tables.ops import FORMS, ROW_OF_OP, SINK, Op, op_name
from toyisa.testing.programs import raw_words

LINKS = (1, 5)  # registers of return addresses


def values(operand):
    """Its smallest and largest value, zero, and each bit alone."""
    step = 1 << operand.align
    if operand.kind is Kind.REG:
        return (0, 1, 4, 5, 17, 31)
    bits = {step << n for n in range(20) if operand.fits(step << n)}
    if operand.low < 0:
        bits |= {-bit for bit in bits}
    return sorted({operand.low, 0, operand.high // step * step, *bits})


def words(row):
    """Words in which one operand has all its values, and the others two each."""
    for varied in range(max(len(row.fields), 1)):
        choices = [
            values(f) if n == varied else values(f)[:: max(len(values(f)) - 1, 1)]
            for n, f in enumerate(row.fields)
        ]
        for chosen in itertools.product(*choices):
            yield dict(zip((f.name for f in row.fields), chosen)), row.encode(*chosen)


@pytest.mark.parametrize("row", INSNS, ids=lambda row: row.name)
def test_operands(row):
    for chosen, word in words(row):
        uop = int(decode(word, 0))
        assert ROW_OF_OP[uop & 0xFF] == row.name
        if "rd" in chosen:
            assert uop >> 8 & 0xFF == (chosen["rd"] or SINK)
        if "rs1" in chosen or "zimm" in chosen:
            assert uop >> 16 & 0xFF == chosen.get("rs1", chosen.get("zimm"))
        if "rs2" in chosen:
            assert uop >> 24 & 0xFF == chosen["rs2"]
        for name in ("imm12", "simm12", "branch", "jump", "shamt", "csr"):
            if name in chosen:
                assert uop >> 32 == chosen[name]
        if "imm20" in chosen:
            assert uop >> 32 & 0xFFFFFFFF == chosen["imm20"] << 12


@pytest.mark.parametrize("row", INSNS, ids=lambda row: row.name)
def test_near_targets_x0_bases_calls_and_returns_and_no_others_have_forms_of_their_own(row):
    plain = Op[op_name(row.name)]
    for chosen, word in words(row):
        for place in (0, 5, WORDS - 1):
            op = Op(int(first_op(decode(word, place))))
            offset = chosen.get("branch", chosen.get("jump"))
            near = offset is not None and offset % 4 == 0 and 0 <= place + offset // 4 < WORDS
            based = f"{plain.name}_ABS" in FORMS and chosen["rs1"] == 0
            form = "_NEAR" if near else "_ABS" if based else ""
            if row.name in ("jal", "jalr") and chosen["rd"] in LINKS:
                form += "_CALL"
            elif row.name == "jalr" and not chosen["rd"] and chosen["rs1"] in LINKS:
                form += "_RETURN"
            assert op.name == plain.name + form


def test_a_word_whose_low_bits_are_not_11_is_illegal():
    for row in INSNS:
        for low in range(3):
            assert decode(row.match & ~3 | low, 0) & 0xFF == Op.ILLEGAL
    assert decode(BY_NAME["addi"].match, 0) & 0xFF == Op.ADDI


@settings(max_examples=2000, deadline=None)
@given(word=raw_words)
def test_a_word_is_one_row_or_illegal(word):
    row = find(word)
    op = int(first_op(decode(word, 0)))
    assert ROW_OF_OP.get(op) == (row.name if row else None)
    assert (op == Op.ILLEGAL) == (row is None)
