"""Answers for `.insn`: an instruction that is given by its format and numbers.

Formats, operands and opcode names are those of GNU `as` ("RISC-V-Instruction-Formats").
"""

from __future__ import annotations

from asm.errors import Fault, did_you_mean
from asm.lexer import split
from asm.operands import Shape
from asm.unit import Unit
from toyisa.tables.fields import FUNCT3, FUNCT7, OPCODE, OPCODES, RS2_AT, Field


def _named(name: str, field: Field) -> tuple[str, int, int]:
    """A field by GNU `as`'s name for it: name, width, lsb."""
    lsb, _, width = field.parts[0]
    return name, width, lsb


# Format -> its operands: numbers as (name, width, lsb), and shapes of the table.
_OP, _F3, _F7 = _named("opcode", OPCODE), _named("func3", FUNCT3), _named("func7", FUNCT7)
_F2 = ("func2", 2, FUNCT7.parts[0][0])
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
        return Shape("rs2").read(text, unit) >> RS2_AT << lsb
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
