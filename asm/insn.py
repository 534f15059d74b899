"""Answers for `.insn`: an instruction that is given by its format and numbers.

Formats, operands and opcode names are those of GNU `as` ("RISC-V-Instruction-Formats").
"""

from __future__ import annotations

from asm.errors import Fault, did_you_mean
from asm.lexer import split
from asm.operands import Shape
from asm.unit import Unit

OPCODES = {
    "LOAD": 0x03, "LOAD_FP": 0x07, "CUSTOM_0": 0x0B, "MISC_MEM": 0x0F,
    "OP_IMM": 0x13, "AUIPC": 0x17, "OP_IMM_32": 0x1B, "STORE": 0x23,
    "STORE_FP": 0x27, "CUSTOM_1": 0x2B, "AMO": 0x2F, "OP": 0x33, "LUI": 0x37,
    "OP_32": 0x3B, "MADD": 0x43, "MSUB": 0x47, "NMSUB": 0x4B, "NMADD": 0x4F,
    "OP_FP": 0x53, "CUSTOM_2": 0x5B, "BRANCH": 0x63, "JALR": 0x67, "JAL": 0x6F,
    "SYSTEM": 0x73, "CUSTOM_3": 0x7B,
}  # fmt: skip

# Format -> its operands: numbers as (name, width, lsb), and shapes of the table.
_OP, _F3, _F7, _F2 = ("opcode", 7, 0), ("func3", 3, 12), ("func7", 7, 25), ("func2", 2, 25)
_RD, _RS1, _RS2, _IMM = Shape("rd"), Shape("rs1"), Shape("rs2"), Shape("imm12")
_RS3 = ("rs3", 5, 27)
_MEMORY, _STORE = Shape("imm12(rs1)"), Shape("simm12(rs1)")
FORMATS: dict[str, tuple[tuple, ...]] = {
    "r": ((_OP, _F3, _F7, _RD, _RS1, _RS2), (_OP, _F3, _F2, _RD, _RS1, _RS2, _RS3)),
    "r4": ((_OP, _F3, _F2, _RD, _RS1, _RS2, _RS3),),
    "i": ((_OP, _F3, _RD, _RS1, _IMM), (_OP, _F3, _RD, _MEMORY)),
    "s": ((_OP, _F3, _RS2, _STORE),),
    "b": ((_OP, _F3, _RS1, _RS2, Shape("branch")), (_OP, _F3, _RS2, _STORE)),
    "u": ((_OP, _RD, Shape("imm20")),),
    "j": ((_OP, _RD, Shape("jump")),),
}
_SYNONYMS = {"sb": "b", "uj": "j"}


def insn(unit: Unit, text: str) -> None:
    """`.insn format operands`, `.insn [4,] word`."""
    word, _, rest = text.strip().partition(" ")
    name = _SYNONYMS.get(word, word)
    if name not in FORMATS:
        _raw(unit, text)
        return
    texts = split(rest)
    for operands in FORMATS[name]:
        if len(operands) == len(texts):
            break
    else:
        counts = " or ".join(str(len(operands)) for operands in FORMATS[name])
        raise Fault(f"`.insn {name}` takes {counts} operands, not {len(texts)}", at=rest)
    offset = unit.code()
    bits = 0
    for operand, item in zip(operands, texts, strict=True):
        if isinstance(operand, Shape):
            bits |= operand.read(item, unit)
        else:
            bits |= _number(operand, item, unit)
    unit.word(offset, bits)


def _number(operand: tuple[str, int, int], text: str, unit: Unit) -> int:
    name, width, lsb = operand
    if name == "rs3":
        return Shape("rs2").read(text, unit) >> 20 << lsb
    value = OPCODES.get(text) if name == "opcode" else None
    if value is None:
        if name == "opcode" and text.isupper() and unit.symbols.get(text).value is None:
            raise Fault(f"unknown opcode `{text}`", fix=did_you_mean(text, OPCODES), at=text)
        value = unit.value(text, name)
    if not 0 <= value < 1 << width:
        raise Fault(f"{name} {value} does not fit in {width} bits", at=text)
    return value << lsb


def _raw(unit: Unit, text: str) -> None:
    items = split(text)
    if not 1 <= len(items) <= 2:
        raise Fault("expected a format or a word", at=text)
    if len(items) == 2 and unit.value(items[0], "the length") != 4:
        raise Fault("instructions are 4 bytes long", at=items[0])
    word = unit.value(items[-1], "the word")
    if not 0 <= word < 1 << 32 or word & 3 != 3:
        why = "the lower two bits of a 32-bit instruction are 1"
        raise Fault(f"{word:#x} is not an instruction word", why=why, at=items[-1])
    unit.word(unit.code(), word)
