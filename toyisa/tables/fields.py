"""Answers for how operands lie in a 32-bit instruction word.

Knows bit positions and ranges only; must not know which instructions exist
(`insns.py`) nor what they do.  Source: RISC-V unprivileged manual, 2.2 and 2.3.

      31        25 24   20 19   15 14  12 11    7 6      0
     +------------+-------+-------+------+-------+--------+
     |   funct7   |  rs2  |  rs1  |funct3|  rd   | opcode |  R
     |      imm[11:0]     |  rs1  |funct3|  rd   | opcode |  I
     |  imm[11:5] |  rs2  |  rs1  |funct3|imm4:0 | opcode |  S
     |imm[12|10:5]|  rs2  |  rs1  |funct3|4:1|11 | opcode |  B
     |            imm[31:12]             |  rd   | opcode |  U
     |      imm[20|10:1|11|19:12]        |  rd   | opcode |  J
     +------------+-------+-------+------+-------+--------+
"""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What the text of an operand is: a register, a CSR, a number, a target."""

    REG = "register"
    CSR = "csr"
    IMM = "immediate"
    TARGET = "pc-relative target"
    FENCE = "fence set"


@dataclass(frozen=True, slots=True)
class Field:
    """One operand field: where its bits lie and which values it takes.

    `parts` lists `(word_lsb, value_lsb, width)`; `low`..`high` is the inclusive
    range of values; a value is a multiple of `1 << align`.
    """

    name: str
    kind: Kind
    parts: tuple[tuple[int, int, int], ...]
    low: int
    high: int
    align: int = 0

    @property
    def mask(self) -> int:
        """The bits of the word that this field covers."""
        return sum(((1 << width) - 1) << lsb for lsb, _, width in self.parts)

    def fits(self, value: int) -> bool:
        """Whether `value` is in range and aligned."""
        return self.low <= value <= self.high and not value & ((1 << self.align) - 1)

    def insert(self, value: int) -> int:
        """The word bits that hold `value`; ValueError if it does not fit."""
        if not self.fits(value):
            raise ValueError(f"{self.name} cannot hold {value}")
        word = 0
        for lsb, value_lsb, width in self.parts:
            word |= ((value >> value_lsb) & ((1 << width) - 1)) << lsb
        return word

    def extract(self, word: int) -> int:
        """The value held in `word`, sign-extended if the range is signed."""
        value = 0
        for lsb, value_lsb, width in self.parts:
            value |= ((word >> lsb) & ((1 << width) - 1)) << value_lsb
        if self.low < 0 and value > self.high:
            value -= 1 << (self.high.bit_length() + 1)
        return value


def _reg(name: str, lsb: int) -> Field:
    return Field(name, Kind.REG, ((lsb, 0, 5),), 0, 31)


_B_PARTS = ((31, 12, 1), (7, 11, 1), (25, 5, 6), (8, 1, 4))
_J_PARTS = ((31, 20, 1), (12, 12, 8), (20, 11, 1), (21, 1, 10))

# Field name -> field.  The names are those used in the operand column of `insns.py`.  The letter
# after each row stands for its bits in a bit picture.
FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        _reg("rd", 7),                                                         # d
        _reg("rs1", 15),                                                       # s
        _reg("rs2", 20),                                                       # t
        Field("imm12", Kind.IMM, ((20, 0, 12),), -2048, 2047),                 # i
        Field("simm12", Kind.IMM, ((25, 5, 7), (7, 0, 5)), -2048, 2047),       # i
        Field("branch", Kind.TARGET, _B_PARTS, -4096, 4094, 1),                # i
        Field("jump", Kind.TARGET, _J_PARTS, -(1 << 20), (1 << 20) - 2, 1),    # i
        Field("imm20", Kind.IMM, ((12, 0, 20),), 0, (1 << 20) - 1),            # i
        Field("shamt", Kind.IMM, ((20, 0, 5),), 0, 31),                        # h
        Field("csr", Kind.CSR, ((20, 0, 12),), 0, 4095),                       # c
        Field("zimm", Kind.IMM, ((15, 0, 5),), 0, 31),                         # z
        Field("pred", Kind.FENCE, ((24, 0, 4),), 0, 15),                       # p
        Field("succ", Kind.FENCE, ((20, 0, 4),), 0, 15),                       # q
    )
}  # fmt: skip

# The fields that identify the instruction, and an atomic's ordering.
OPCODE = Field("opcode", Kind.IMM, ((0, 0, 7),), 0, 0x7F)
FUNCT3 = Field("funct3", Kind.IMM, ((12, 0, 3),), 0, 7)
FUNCT7 = Field("funct7", Kind.IMM, ((25, 0, 7),), 0, 0x7F)
AQ = Field("aq", Kind.IMM, ((26, 0, 1),), 0, 1)
RL = Field("rl", Kind.IMM, ((25, 0, 1),), 0, 1)

# Opcode -> its number ("RISC-V base opcode map", inst[1:0] = 11), spelled as GNU `as` does in
# `.insn`.  Many belong to instructions that this machine lacks.
OPCODES: dict[str, int] = {
    "LOAD": 0x03, "LOAD_FP": 0x07, "CUSTOM_0": 0x0B, "MISC_MEM": 0x0F,
    "OP_IMM": 0x13, "AUIPC": 0x17, "OP_IMM_32": 0x1B, "STORE": 0x23,
    "STORE_FP": 0x27, "CUSTOM_1": 0x2B, "AMO": 0x2F, "OP": 0x33, "LUI": 0x37,
    "OP_32": 0x3B, "MADD": 0x43, "MSUB": 0x47, "NMSUB": 0x4B, "NMADD": 0x4F,
    "OP_FP": 0x53, "OP_V": 0x57, "CUSTOM_2": 0x5B, "BRANCH": 0x63, "JALR": 0x67, "JAL": 0x6F,
    "SYSTEM": 0x73, "CUSTOM_3": 0x7B,
}  # fmt: skip

LETTERS = {
    "d": "rd", "s": "rs1", "t": "rs2", "h": "shamt", "c": "csr", "z": "zimm",
    "p": "pred", "q": "succ",
}  # fmt: skip

REG_NAMES = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2",
    "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7",
    "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip

# Every spelling of a register that the assembler accepts -> its number.
REG_NUMBERS: dict[str, int] = {
    **{name: number for number, name in enumerate(REG_NAMES)},
    **{f"x{number}": number for number in range(32)},
    "fp": 8,
}


# Where the number of a register, the number of a CSR, and funct3 begin in a word, for compiled
# code.
RD_AT, RS1_AT, RS2_AT, CSR_AT = (FIELDS[name].parts[0][0] for name in ("rd", "rs1", "rs2", "csr"))
FUNCT3_AT = FUNCT3.parts[0][0]
REG = FIELDS["rd"].high  # the mask of a register's number


def rd_of(word: int) -> int:
    """The register that a word writes, if its format has one."""
    return word >> RD_AT & REG


def rs1_of(word: int) -> int:
    """The first register that a word reads, if its format has one."""
    return word >> RS1_AT & REG


def rs2_of(word: int) -> int:
    """The second register that a word reads, if its format has one."""
    return word >> RS2_AT & REG


def csr_of(word: int) -> int:
    """The number of the CSR that a word accesses, if its format has one."""
    return word >> CSR_AT


_LOW = FIELDS["imm12"]


def upper(value: int) -> int:
    """The 20 bits for `lui`, such that adding the signed `lower` gives `value`."""
    return (value - _LOW.low) >> 12 & FIELDS["imm20"].high


def lower(value: int) -> int:
    """The lower 12 bits, as a signed number."""
    return ((value - _LOW.low) & 0xFFF) + _LOW.low
