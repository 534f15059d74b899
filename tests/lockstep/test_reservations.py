"""What comes between lr.w and sc.w: the core keeps and loses a reservation like the model."""

import pytest

from tests.lockstep.pair import Pair
from toyisa.tables.bits import SSTATUS_SPP
from toyisa.tables.insns import BY_NAME
from toyisa.tables.levels import Level
from toyisa.testing.states import RAM_BASE

CODE, SC, DATA = RAM_BASE, RAM_BASE + 8, RAM_BASE + 0x3000
SAME, NEXT, FAR, FIRST = 1, 5, 6, 3  # registers: the word, its neighbour, another page; a value


def e(name, *operands):
    return BY_NAME[name].encode(*operands)


# What comes between, and whether sc.w still succeeds.
BETWEEN = {
    "nothing": (e("addi", 0, 0, 0), True),
    "load": (e("lw", 7, 0, SAME), True),
    "store of the word": (e("sw", FIRST, 0, SAME), False),
    "store of the same value": (e("sw", 8, 0, SAME), False),
    "store of its last byte": (e("sb", FIRST, 3, SAME), False),
    "store of its upper half": (e("sh", FIRST, 2, SAME), False),
    "store of the next word": (e("sw", FIRST, 4, SAME), True),
    "store of the word before": (e("sw", FIRST, -4, SAME), True),
    "store to another page": (e("sw", FIRST, 0, FAR), True),
    "amo on the word": (e("amoor.w", 7, 0, SAME), False),
    "amo on the next word": (e("amoor.w", 7, 0, NEXT), True),
    "lr.w of another word": (e("lr.w", 7, NEXT), False),
    "sc.w to another word": (e("sc.w", 7, 0, NEXT), False),
    "trap": (e("ebreak"), False),
    "sret": (e("sret"), False),
    "fence": (e("fence", 15, 15), True),
    "sfence.vma": (e("sfence.vma", 0, 0), True),
}


@pytest.fixture(scope="module")
def pair():
    return Pair()


@pytest.mark.parametrize("what", BETWEEN)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_between(pair, what, warm):
    word, succeeds = BETWEEN[what]
    for at, insn in enumerate((e("lr.w", 2, SAME), word, e("sc.w", 4, FIRST, SAME))):
        pair.word(CODE + 4 * at, insn)
    for page in (DATA, DATA + 0x1000):
        pair.word(page, 0)
    regs = {SAME: DATA, NEXT: DATA + 4, FAR: DATA + 0x1000, FIRST: 7, 4: 9}
    # A trap, and sret, continue at the sc.w: both vectors point there.
    csr = {"stvec": SC, "sepc": SC, "sstatus": SSTATUS_SPP}
    pair.place(CODE, Level.S, csr, regs)
    if warm:  # the plain stores have been here, so their fast path is open
        for insn in (e("sw", 0, 0, SAME), e("sw", 0, 0, FAR)):
            pair.word(CODE + 0x100, insn)
            pair.move(CODE + 0x100, Level.S, csr["sstatus"])
            pair.step()
        pair.move(CODE, Level.S, csr["sstatus"])
    for _ in range(3):
        pair.step()
    assert pair.hart.x[4] == (0 if succeeds else 1)
    assert pair.same_at(DATA, 0x2000)
    pair.move(SC, Level.S, csr["sstatus"])
    pair.step()  # and a second sc.w always fails
    assert pair.hart.x[4] == 1
