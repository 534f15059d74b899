"""Answers for the operands of instructions: from their text to bits of the word.

A *shape* is one operand of a row's syntax (`rd`, `imm12(rs1)`).  It remembers the bits for
each text, so a constant operand is read once in a program.  Must not know mnemonics.
"""

from __future__ import annotations

import re

from asm.errors import Fault, did_you_mean
from asm.expr import parse
from asm.fixups import Kind, insert, signed32
from asm.unit import Unit
from toyisa.tables import csrs
from toyisa.tables.fields import FIELDS, REG_NUMBERS, Field, lower, upper
from toyisa.tables.fields import Kind as Operand

_LITERAL = re.compile(r"\s*([-+]?)\s*(0[xX][0-9a-fA-F]+|0[bB][01]+|[1-9]\d*|0)\s*\Z")
_RELOCATED = re.compile(r"\s*%(\w+)\s*\((.*)\)\s*\Z")
_BASED = re.compile(r"(.*)\(\s*([\w.$]+)\s*\)\s*\Z", re.S)

_OPERATORS = {
    "hi": Kind.HI20,
    "lo": Kind.LO12,
    "pcrel_hi": Kind.PCREL_HI20,
    "pcrel_lo": Kind.PCREL_LO12,
    "got_pcrel_hi": Kind.PCREL_HI20,  # the distance of the word in .got that holds the address
}
_PREDEFINED_SETS = {
    "".join(letter for bit, letter in ((8, "i"), (4, "o"), (2, "r"), (1, "w")) if bits & bit): bits
    for bits in range(1, 16)
} | {"0": 0}


class NotConstant(KeyError):
    """To read the operand takes more than its text: symbols, or an error message."""


class Memo(dict):
    """Operand text -> bits of the word; a text that is not there is read, and remembered."""

    def __init__(self, shape: Shape):
        self.shape = shape

    def __missing__(self, text: str) -> int:
        bits = self[text] = self.shape.constant(text)
        return bits


class Shape:
    """One operand of a row: `prefix` is its immediate, `base` its register."""

    def __init__(self, syntax: str):
        based = re.fullmatch(r"(\w*)\((\w+)\)", syntax)
        name, base = (based[1], based[2]) if based else (syntax, "")
        self.syntax = syntax
        self.field: Field | None = FIELDS[name] if name else None
        self.base: Field | None = FIELDS[base] if base else None
        self.memo = Memo(self)

    def constant(self, text: str) -> int:
        """The bits for a text without symbols.  Raises NotConstant."""
        if self.base is not None:
            match = _BASED.match(text)
            if match is None or (number := REG_NUMBERS.get(match[2])) is None:
                raise NotConstant(text)
            return self._plain(match[1]) | self.base.insert(number)
        return self._plain(text)

    def _plain(self, text: str) -> int:
        field = self.field
        if field is None or (self.base is not None and (not text or text.isspace())):
            if text and text.strip() not in ("", "0"):
                raise NotConstant(text)
            return 0
        if field.kind is Operand.REG:
            number = REG_NUMBERS.get(text.strip())
            if number is None:
                raise NotConstant(text)
            return field.insert(number)
        if field.kind is Operand.FENCE:
            return field.insert(_fence_set(text))
        if field.kind is Operand.CSR and (row := csrs.BY_NAME.get(text.strip())):
            return field.insert(row.number)
        match = _LITERAL.match(text)
        if match is None or field.kind is Operand.TARGET:
            raise NotConstant(text)
        if len(match[2]) > 100:
            raise NotConstant(text)  # `expr` will say that it is not a number
        value = int(match[2], 0)
        return insert(field, -value if match[1] == "-" else value, text)

    def read(self, text: str, unit: Unit) -> int:
        """The bits for any text; a symbol leaves a fixup for the instruction."""
        try:
            return self.memo[text]
        except NotConstant:
            pass
        if self.base is None:
            return self._symbolic(text, unit)
        match = _BASED.match(text)
        if match is None:
            raise Fault(
                f"expected {'an address' if not self.field else 'offset'}(register)",
                fix=f"write `({text})`" if text in REG_NUMBERS else "write `0(a0)` for example",
                at=text,
            )
        bits = self.base.insert(register(match[2]))
        return bits | self._symbolic(match[1], unit) if match[1].strip() else bits

    def _symbolic(self, text: str, unit: Unit) -> int:
        field = self.field
        if field is None:
            raise Fault("this instruction takes no offset", fix="write `(register)`", at=text)
        if field.kind is Operand.REG:
            return field.insert(register(text))
        if field.kind is Operand.TARGET:
            kind = Kind.BRANCH if field.name == "branch" else Kind.JAL
            _no_register(text)
            return unit.fix(kind, parse(text, unit), text.strip(), field)
        if match := _RELOCATED.match(text):
            return self._relocated(match[1], match[2], unit)
        if field.kind is Operand.CSR:
            _check_csr_name(text, unit)
        _no_register(text)
        value = parse(text, unit)
        if isinstance(value, int):
            return insert(field, value, text)
        return unit.fix(Kind.FIELD, value, text.strip(), field)

    def _relocated(self, operator: str, inner: str, unit: Unit) -> int:
        """`%operator(inner)`: a constant is computed at once, anything else by a fixup."""
        field = self.field
        kind = _OPERATORS.get(operator.lower())
        if kind is None:
            raise Fault(
                f"unknown operator `%{operator}`",
                fix=did_you_mean(operator, _OPERATORS) or f"there are {' '.join(_OPERATORS)}",
                at=f"%{operator}",
            )
        wants = "imm20" if kind in (Kind.HI20, Kind.PCREL_HI20) else ("imm12", "simm12")
        if field.name not in wants:
            raise Fault(
                f"`%{operator}` does not belong here",
                why="the upper part goes to lui or auipc, the lower to addi, loads and stores",
                at=f"%{operator}",
            )
        value = parse(inner, unit)
        if operator.lower() == "got_pcrel_hi":
            value = unit.got(value, inner.strip())
        if isinstance(value, int) and kind is Kind.HI20:
            return field.insert(upper(value))
        if isinstance(value, int) and kind is Kind.LO12:
            return field.insert(lower(value))
        return unit.fix(kind, value, inner.strip(), field)


def register(text: str) -> int:
    """The number of a register; Fault if there is no register of that name."""
    text = text.strip()
    number = REG_NUMBERS.get(text)
    if number is None:
        floating = re.fullmatch(r"f(t|s|a)?\d+", text)
        raise Fault(
            f"`{text}` is not a register" if text else "a register is missing",
            why="this machine has no floating point" if floating else "",
            fix="" if floating else did_you_mean(text, REG_NUMBERS),
            at=text,
        )
    return number


def is_register(text: str) -> bool:
    return text.strip() in REG_NUMBERS


def constant(text: str, unit: Unit, what: str) -> int:
    """The value of an operand that must be known now, reduced to 32 bits."""
    value = unit.value(text, what)
    if not -(1 << 31) <= value < 1 << 32:
        raise Fault(f"{value:#x} does not fit in 32 bits", at=text)
    return signed32(value)


def _fence_set(text: str) -> int:
    bits = _PREDEFINED_SETS.get(text.strip())
    if bits is None:
        raise Fault(
            f"`{text.strip()}` is not a set of accesses",
            why="it is some of the letters i, o, r, w, in this order",
            at=text,
        )
    return bits


def _check_csr_name(text: str, unit: Unit) -> None:
    name = text.strip()
    if re.fullmatch(r"[A-Za-z_]\w*", name) and unit.symbols.get(name).value is None:
        raise Fault(
            f"this machine has no CSR `{name}`",
            fix=did_you_mean(name, csrs.BY_NAME) or "write its number to access it anyway",
            at=name,
        )


def _no_register(text: str) -> None:
    if is_register(text):
        raise Fault("expected a value, not a register", at=text)
