"""Answers for machine words: an instruction's word of its operands, and operands of a word.

Which bits say that a word is an `addi` comes from the instruction table.  Must not know where
a word will stand (`emit.py`).  Formats: RISC-V unprivileged manual, chapter 2, as drawn in
`fields.py`.
"""

from toyisa.compiled.njit import njit
from toyisa.tables import fields
from toyisa.tables.fields import CSR_AT, RD_AT, RS1_AT, RS2_AT
from toyisa.tables.insns import BY_NAME

ADD, ADDI, AND, ANDI, OR, SLLI, SLTU, SRLI, XOR, XORI = (
    BY_NAME[name].match
    for name in ("add", "addi", "and", "andi", "or", "slli", "sltu", "srli", "xor", "xori")
)
BEQ, BNE, BGE, JAL, JALR = (BY_NAME[name].match for name in ("beq", "bne", "bge", "jal", "jalr"))
CSRRS, ECALL, LUI, LW, SW = (BY_NAME[name].match for name in ("csrrs", "ecall", "lui", "lw", "sw"))
NOP = ADDI
RA = 1
RET = JALR | RA << RS1_AT
BRANCH = BY_NAME["beq"].mask  # the bits of a word that say which branch it is

HIGH = fields.FIELDS["imm20"].mask  # of a word for `lui`, and of the value that it makes
WORD = 0xFFFFFFFF

rd_of, rs1_of, rs2_of, csr_of = (
    njit(of) for of in (fields.rd_of, fields.rs1_of, fields.rs2_of, fields.csr_of)
)


@njit
def i_word(insn, rd, rs1, imm):
    """`insn rd, rs1, imm`; also `insn rd, imm(rs1)`, and with a CSR's number as `imm`."""
    return (imm & 0xFFF) << CSR_AT | rs1 << RS1_AT | rd << RD_AT | insn


@njit
def r_word(insn, rd, rs1, rs2):
    """`insn rd, rs1, rs2`."""
    return rs2 << RS2_AT | rs1 << RS1_AT | rd << RD_AT | insn


@njit
def s_word(insn, rs2, rs1, imm):
    """`insn rs2, imm(rs1)`."""
    return (imm >> 5 & 0x7F) << 25 | rs2 << RS2_AT | rs1 << RS1_AT | (imm & 31) << RD_AT | insn


@njit
def branch_word(insn, rs1, rs2, offset):
    """`insn rs1, rs2, .+offset`."""
    return insn | rs1 << RS1_AT | rs2 << RS2_AT | branch_by(offset)


@njit
def branch_by(offset):
    """The bits that a branch's word has for an offset."""
    high = (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3F) << 25
    return high | (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7


@njit
def jal_word(rd, offset):
    """`jal rd, .+offset`."""
    high = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21
    return high | (offset >> 11 & 1) << 20 | (offset >> 12 & 0xFF) << 12 | rd << RD_AT | JAL


@njit
def lui_word(rd, value):
    """`lui rd, value >> 12`."""
    return value & HIGH | rd << RD_AT | LUI


@njit
def low_of(value):
    """The signed 12 bits that `addi` adds to what `lui` makes, for a 32-bit value."""
    return (value & 0xFFF ^ 0x800) - 0x800


@njit
def high_of(value):
    """What `lui` makes, such that adding `low_of(value)` gives the value."""
    return (value - low_of(value)) & HIGH
