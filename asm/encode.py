"""Answers for turning one instruction of the table into its word.

Reads the table; must not know pseudo-instructions.
"""

from __future__ import annotations

from asm.errors import Fault
from asm.fixups import Kind
from asm.operands import Memo, Shape
from asm.unit import Unit
from toyisa.tables.fields import AQ, RL
from toyisa.tables.insns import INSNS, Insn

_ORDERINGS = {
    "": 0, ".aq": AQ.insert(1), ".rl": RL.insert(1), ".aqrl": AQ.insert(1) | RL.insert(1),
}  # fmt: skip
_SHAPES: dict[str, Shape] = {}


class Form:
    """A mnemonic with its operands: a row of the table, and the aq and rl bits of its suffix."""

    __slots__ = ("count", "match", "memos", "name", "row", "shapes")

    def __init__(self, name: str, row: Insn, match: int):
        self.name = name
        self.row = row
        self.match = match
        syntaxes = row.operands.split(",") if row.operands else []
        self.shapes = tuple(_SHAPES.setdefault(syntax, Shape(syntax)) for syntax in syntaxes)
        self.memos: tuple[Memo, ...] = tuple(shape.memo for shape in self.shapes)
        self.count = len(self.shapes)


# Every mnemonic of the table, with each ordering suffix -> its form.
FORMS: dict[str, Form] = {
    row.name + suffix: Form(row.name + suffix, row, row.match | bits)
    for row in INSNS
    for suffix, bits in _ORDERINGS.items()
    if row.ordered or not suffix
}

# Turns beq into bne, blt into bge, bltu into bgeu
_INVERSE = FORMS["beq"].match ^ FORMS["bne"].match


def encode(form: Form, texts: list[str], unit: Unit) -> None:
    """Emit one instruction.  Raises Fault if an operand is wrong."""
    if len(texts) != form.count:
        takes = form.row.operands or "no operands"
        raise Fault(
            f"`{form.name}` takes {form.count} operands, not {len(texts)}",
            fix=f"its syntax is `{form.name} {takes}`" if form.count else f"write `{form.name}`",
        )
    word = form.match
    before = len(unit.fixups)
    offset = unit.code()  # fixups are made before the word is there
    for shape, text in zip(form.shapes, texts, strict=True):
        word |= shape.read(text, unit)
    if len(unit.fixups) > before and unit.fixups[-1].kind is Kind.BRANCH:
        branch = unit.fixups[-1]
        branch.ordinal = unit.branches
        unit.branches += 1
        if branch.ordinal in unit.guesses.far:
            # "the assembler ... an inverted branch over a jump" (GNU as, RISC-V)
            unit.word(offset, (word ^ _INVERSE) | branch.field.insert(8))
            branch.kind, branch.offset = Kind.JAL, offset + 4
            jump = FORMS["jal"]
            branch.field = jump.shapes[1].field
            unit.word(offset + 4, jump.match)
            return
    unit.word(offset, word)
