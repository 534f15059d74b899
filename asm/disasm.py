"""Answers for the text of an instruction word, in objdump's style.

The text assembles to the same word.  Reads the instruction table and the table
of pseudo-instructions; must not know memory.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from asm.pseudo import PSEUDO, WORDS
from toyisa.tables import csrs
from toyisa.tables.fields import AQ, REG_NAMES, REG_NUMBERS, RL, Field, Kind
from toyisa.tables.insns import Insn, find

_NAMED_WORDS = {word: name for name, word in WORDS.items()}
_TOKEN = re.compile(r"-?[\w.]+")
# These aliases only reorder the operands, or are old names, so the plain form is shown.
_UNSHOWN = {"sgt", "sgtu", "bgt", "ble", "bgtu", "bleu", "scall", "sbreak", "move"}

# What an alias requires of one field: a value; None if it requires nothing and the field is shown.
_Asked = tuple[int | None, ...]


class Symbols:
    """Names for addresses, made from pairs of address and name."""

    def __init__(self, names: Iterable[tuple[int, str]]):
        self._ordered = sorted(names)

    def nearest(self, address: int) -> str | None:
        """`symbol` or `symbol+0x10`: the last symbol at or before an address."""
        at = bisect_right(self._ordered, (address, "\U0010ffff")) - 1
        if at < 0:
            return None
        value, name = self._ordered[at]
        return name if value == address else f"{name}+{address - value:#x}"


def disassemble(
    word: int, pc: int, symbols: Symbols | None = None, *, aliases: bool = True
) -> str:
    """The text of the instruction `word` at address `pc`; `.word` if it is illegal.

    Targets are shown as addresses, with `<symbol+offset>` when `symbols` are given;
    `aliases` allows pseudo-instructions.
    """
    if word in _NAMED_WORDS:
        return _NAMED_WORDS[word]
    row = find(word)
    if row is None or word & row.ignored:
        return f".word {word:#010x}"
    values = row.operand_values(word)
    if aliases:
        text = _alias(row, values, pc, symbols)
        if text is not None:
            return text
    texts = iter(
        _shown(field, value, pc, symbols) for field, value in zip(row.fields, values, strict=True)
    )
    operands = _TOKEN.sub(lambda _: next(texts), row.operands)
    return f"{row.name}{_ordering(row, word)} {operands}".rstrip()


def _ordering(row: Insn, word: int) -> str:
    if not row.ordered:
        return ""
    return ("", ".rl", ".aq", ".aqrl")[AQ.extract(word) << 1 | RL.extract(word)]


def _shown(field: Field, value: int, pc: int, symbols: Symbols | None) -> str:
    if field.kind is Kind.REG:
        return REG_NAMES[value]
    if field.kind is Kind.CSR:
        row = csrs.BY_NUMBER.get(value)
        return row.name if row else f"{value:#x}"
    if field.kind is Kind.FENCE:
        letters = zip((8, 4, 2, 1), "iorw", strict=True)
        return "".join(letter for bit, letter in letters if value & bit) or "0"
    if field.kind is Kind.TARGET:
        return _target((pc + value) & 0xFFFF_FFFF, symbols)
    return f"{value:#x}" if field.name in ("imm20", "shamt") else str(value)


def _target(address: int, symbols: Symbols | None) -> str:
    text = f"{address:#x}"
    near = symbols.nearest(address) if symbols else None
    return f"{text} <{near}>" if near else text


def _alias(row: Insn, values: tuple[int, ...], pc: int, symbols: Symbols | None) -> str | None:
    """The pseudo-instruction for a row with these operands, if there is one."""
    if row.name == "addi" and values[1] == 0 and any(values):
        return f"li {REG_NAMES[values[0]]},{values[2]}"
    if row.name == "jalr" and (text := _jalr(values)):
        return text
    for name, asked, order in _ALIASES.get(row.name, ()):
        if all(want is None or want == value for want, value in zip(asked, values, strict=True)):
            shown = (_shown(row.fields[at], values[at], pc, symbols) for at in order)
            return f"{name} {','.join(shown)}".rstrip()
    return None


def _jalr(values: tuple[int, ...]) -> str | None:
    rd, offset, rs1 = values
    if rd > 1 or (rd, offset, rs1) == (0, 0, 1):
        return None
    target = f"{offset}({REG_NAMES[rs1]})" if offset else REG_NAMES[rs1]
    return f"{'jalr' if rd else 'jr'} {target}"


def _reversed() -> dict[str, list[tuple[str, _Asked, tuple[int, ...]]]]:
    """Row name -> (alias, what it requires of each field, the fields it shows, in order)."""
    aliases: dict[str, list] = {}
    for (name, count), steps in PSEUDO.items():
        if len(steps) != 1 or name in _UNSHOWN:
            continue
        form, picks = steps[0]
        asked: list[int | None] = []
        order = [0] * count
        for pick in picks:
            if isinstance(pick, int):
                order[pick] = len(asked)
                asked.append(None)
                continue
            for token in _TOKEN.findall(pick):
                asked.append(_value(token, form.row.fields[len(asked)]))
        aliases.setdefault(form.row.name, []).append((name, tuple(asked), tuple(order)))
    for choices in aliases.values():  # the one with most requirements first: rdtime before csrr
        choices.sort(key=lambda choice: choice[1].count(None))
    return aliases


def _value(token: str, field: Field) -> int:
    if field.kind is Kind.REG:
        return REG_NUMBERS[token]
    if field.kind is Kind.CSR:
        return csrs.BY_NAME[token].number
    if field.kind is Kind.FENCE:
        return 15
    return int(token, 0)


_ALIASES = _reversed()
