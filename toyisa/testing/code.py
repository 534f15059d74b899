"""Answers for short pieces of machine code written in Python: words and labels.

There is no assembler, since the machine's package must not need one.  Must not know what the
code is for.
"""

import re

from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.tables.fields import REG_NAMES, Field, Kind, lower, upper
from toyisa.tables.insns import BY_NAME, find

NOP = BY_NAME["addi"].encode(0, 0, 0)


class Code:
    """Words that follow each other; places are counted in words from the first.

    A jump names a label, which may be placed later; `words` fills in all jumps. The result
    does not depend on where the code will lie.
    """

    def __init__(self) -> None:
        self._words: list[int] = []
        self._labels: dict[str, int] = {}
        self._jumps: list[tuple[int, str, tuple[int, ...], str]] = []

    def __len__(self) -> int:
        return len(self._words)

    def e(self, name: str, *operands: int | str) -> "Code":
        """One instruction, with operands in the order of the syntax; a CSR by its name."""
        numbers = [CSRS[o].number if isinstance(o, str) else o for o in operands]
        self._words.append(BY_NAME[name].encode(*numbers))
        return self

    def put(self, words: list[int]) -> "Code":
        """Words that were made elsewhere."""
        self._words += words
        return self

    def li(self, rd: int, value: int) -> "Code":
        """Load a 32-bit constant, always in two words."""
        return self.e("lui", rd, upper(value)).e("addi", rd, rd, lower(value))

    def label(self, name: str) -> "Code":
        self._labels[name] = len(self)
        return self

    def to(self, label: str, name: str = "jal", *operands: int) -> "Code":
        """A branch or a jump to a label; `jal` without an operand links nothing."""
        self._jumps.append((len(self), name, operands or (0,), label))
        self._words.append(0)
        return self

    def place(self, label: str) -> int:
        """Where a label is, in bytes."""
        return 4 * self._labels[label]

    @property
    def labels(self) -> dict[str, int]:
        return {name: 4 * at for name, at in self._labels.items()}

    def words(self) -> list[int]:
        """All words, with every jump filled in."""
        for at, name, operands, label in self._jumps:
            distance = 4 * (self._labels[label] - at)
            self._words[at] = BY_NAME[name].encode(*operands, distance)
        return self._words


def text(word: int, pc: int = 0) -> str:
    """An instruction word for people: `addi a0, a0, -1`; targets as addresses."""
    row = find(word)
    if row is None:
        return f".word {word:#010x}"
    values = iter(zip(row.fields, row.operand_values(word)))
    operands = re.sub(r"[a-z]+[0-9]*", lambda _: _operand(*next(values), pc), row.operands)
    return f"{row.name} {operands.replace(',', ', ')}".rstrip()


def _operand(field: Field, value: int, pc: int) -> str:
    if field.kind is Kind.REG:
        return REG_NAMES[value]
    if field.kind is Kind.TARGET:
        return f"{(pc + value) & 0xFFFFFFFF:#x}"
    if field.kind is Kind.CSR:
        return next((row.name for row in CSRS.values() if row.number == value), f"{value:#x}")
    return str(value)
