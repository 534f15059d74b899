"""Words to text and back: round trip, and objdump as the oracle."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asm import assemble_text, write_atomically
from asm.disasm import Symbols, disassemble
from asm.pseudo import WORDS
from tests.unit.asm import gnu
from toyisa.tables import csrs
from toyisa.tables.fields import Kind
from toyisa.tables.insns import BY_NAME, INSNS, find

PC = 0x8000_0000


@st.composite
def words(draw):
    """A word of a row, bits that the machine ignores as 0."""
    row = draw(st.sampled_from(INSNS))
    free = draw(st.integers(0, 0xFFFF_FFFF))
    return row.match | free & ~row.mask & ~row.ignored


def assembled(text: str, pc: int = PC) -> int:
    (section, *_) = assemble_text(f"{text}\n", base=pc).sections
    assert section.size == 4
    return int.from_bytes(section.data, "little")


@given(words(), st.booleans())
def test_text_assembles_to_the_word(word, aliases):
    text = disassemble(word, PC, aliases=aliases)
    if find(word).fields[-1:] and find(word).fields[-1].kind is Kind.TARGET:
        # A plain number is a far target to GNU `as`, whatever it is.
        text = re.sub(r"0x\w+$", lambda m: f".+({m[0]}-{PC:#x})", text)
    assert assembled(text) == word, text


@given(st.integers(0, 0xFFFF_FFFF))
def test_any_word_is_one_row_or_illegal(word):
    rows = [row for row in INSNS if word & row.mask == row.match]
    assert len(rows) <= 1
    assert find(word) is (rows[0] if rows else None)
    text = disassemble(word, PC)
    if not rows:
        assert text == f".word {word:#010x}"


def test_symbols_are_named():
    symbols = Symbols([(0x8000_0010, "loop"), (0x8000_0000, "start")])
    assert disassemble(0x0000006F, 0x8000_0014, symbols) == "j 0x80000014 <loop+0x4>"
    assert symbols.nearest(0x8000_0010) == "loop"
    assert symbols.nearest(0) is None


# Words that one of the two calls by a name of their own, aliases or not: pause, unimp ...
NAMED_WHATEVER = {*WORDS.values(), BY_NAME["csrrw"].encode(0, csrs.BY_NAME["cycle"].number, 0)}


@gnu.needed
@pytest.mark.parametrize("aliases", [False, True])
def test_objdump_says_the_same(tmp_path, aliases):
    drawn = []
    for row in INSNS:
        rng = random.Random(row.name)  # each of its own: a new row changes no other
        drawn += [_draw(rng, row) for _ in range(40) if row.ext != "Xprobe"]
    drawn = [word for word in drawn if word not in NAMED_WHATEVER]
    source = "_start:\n" + "".join(f".insn 4, {word:#x}\n" for word in drawn)
    elf = tmp_path / "out.elf"
    write_atomically(elf, assemble_text(source).elf())
    theirs = gnu.disassembled(elf, *([] if aliases else ["-M", "no-aliases"]))
    assert len(theirs) == len(drawn)
    for at, word in enumerate(drawn):
        pc = PC + 4 * at
        ours = disassemble(word, pc, aliases=aliases)
        assert _plain(ours) == _plain(theirs[pc][1]), f"{word:#x} at {pc:#x}"


def _draw(rng: random.Random, row) -> int:
    """A word of a row; CSRs are ours, since objdump names many more."""
    free = rng.choice([rng.getrandbits(32), rng.getrandbits(32), 0, 1 << 7, 1 << 15, 1 << 20])
    if any(field.kind is Kind.CSR for field in row.fields):
        free = free & 0xFFFFF | rng.choice(list(csrs.BY_NUMBER)) << 20
    return row.match | free & ~row.mask & ~row.ignored


def _plain(text: str) -> str:
    """What both agree on: numbers by value, and immediate forms by their full name."""
    text = re.sub(
        r"0x([0-9a-f]+)|(?<![\w])([0-9a-f]{8})(?![\w])", lambda m: str(int(m[1] or m[2], 16)), text
    )
    name, _, operands = text.partition(" ")
    operands = operands.replace(" ", "")
    short = {"addi": "add", "andi": "and", "ori": "or", "xori": "xor", "slli": "sll", "srli": "srl",
             "srai": "sra", "slti": "slt", "sltiu": "sltu", "csrrwi": "csrrw", "csrrsi": "csrrs",
             "csrrci": "csrrc", "csrwi": "csrw", "csrsi": "csrs", "csrci": "csrc"}  # fmt: skip
    operands = operands.replace("unknown", "0")
    return f"{short.get(name, name)} {operands}".strip()
