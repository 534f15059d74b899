"""The first and last bytes of RAM, and what is beyond: the core does as the model."""

import pytest

from tests.lockstep.pair import Pair
from toyisa.tables.insns import BY_NAME, INSNS
from toyisa.tables.levels import Level
from toyisa.testing.states import RAM_BASE, RAM_SIZE

CODE, VECTOR = RAM_BASE + 0x8000, RAM_BASE + 0x9000
BASE, VALUE, TO = 1, 5, 7
END = RAM_BASE + RAM_SIZE
PLACES = [edge + n for edge in (RAM_BASE, END) for n in range(-8, 9)]
REGISTERS = {"rd": TO, "rs1": BASE, "rs2": VALUE}
ACCESSES = [row for row in INSNS if "(rs1)" in row.operands]


@pytest.fixture(scope="module")
def pair():
    pair = Pair()
    for edge in (RAM_BASE, END - 16):
        pair.poke(edge, bytes(range(0x81, 0x91)))
    return pair


def accessing(row):
    return row.encode(*(REGISTERS.get(field.name, 0) for field in row.fields))


def put(pair, *words):
    """The words at `CODE`, about to run."""
    for n, word in enumerate(words):
        pair.word(CODE + 4 * n, word)


@pytest.mark.parametrize("row", ACCESSES, ids=lambda row: row.name)
def test_data(pair, row):
    """Twice at each place: the second access uses what the first one left in the TLB."""
    reserved = BY_NAME["lr.w"].encode(0, BASE)
    put(pair, reserved, accessing(row), accessing(row))
    for place in PLACES:
        pair.place(CODE, Level.S, {"stvec": VECTOR}, {BASE: place & 0xFFFFFFFF, VALUE: 0x12345678})
        for n in range(3):
            pair.move(CODE + 4 * n, Level.S, 0)
            pair.step()
        assert pair.same_at(RAM_BASE, 16)
        assert pair.same_at(END - 16, 16)


@pytest.mark.parametrize("place", [place for place in PLACES if place % 4 == 0], ids=hex)
def test_fetch(pair, place):
    nop = BY_NAME["addi"].encode(0, 0, 0)
    for word in (RAM_BASE, RAM_BASE + 4, END - 8, END - 4):
        pair.word(word, nop)
    put(pair, BY_NAME["jalr"].encode(0, 0, BASE))
    pair.place(CODE, Level.S, {"stvec": VECTOR}, {BASE: place})
    for _ in range(4):
        pair.step()
