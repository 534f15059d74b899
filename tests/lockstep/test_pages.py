"""Every PTE under every access: the core's MMU against the model's, in every combination."""

import itertools

import pytest

from tests.lockstep.harts import Root
from tests.lockstep.pair import Pair
from toyisa.tables.bits import PTE_G, SATP_MODE_SV32, SSTATUS_MXR, SSTATUS_SUM
from toyisa.tables.causes import Exc
from toyisa.tables.insns import BY_NAME
from toyisa.tables.levels import Level
from toyisa.testing.states import RAM_BASE

ROOT_TABLE, LEAF_TABLE, DATA = RAM_BASE + 0x1000, RAM_BASE + 0x2000, RAM_BASE + 0x3000
USER_CODE, PAGE, SUPERPAGE = 0x00400000, 0x00401000, 0x00800000
SATP = SATP_MODE_SV32 | ROOT_TABLE >> 12
SPACE_OF_S = RAM_BASE >> 2 | 0xCF
HANDLER = RAM_BASE + 0x800

# The instruction that makes the access, address in x1; None: it is fetched from there.
ACCESSES = {
    "lb": (2, 0, 1), "lw": (2, 0, 1), "sb": (2, 0, 1), "sw": (2, 0, 1),
    "lr.w": (2, 1), "sc.w": (2, 3, 1), "amoadd.w": (2, 3, 1),
    "probe.r": (2, 1), "probe.w": (2, 1), "fetch": None,
}  # fmt: skip
FLAGS = [flags for flags in range(256) if not flags & PTE_G]  # G changes no outcome
STATUS = [(0, 0), (0, 1), (1, 0), (1, 1)]  # SUM, MXR


@pytest.fixture(scope="module")
def pair():
    pair = Pair()
    pair.word(ROOT_TABLE + 4 * (RAM_BASE >> 22), SPACE_OF_S)
    pair.word(ROOT_TABLE + 4 * (USER_CODE >> 22), LEAF_TABLE >> 2 | 1)
    pair.word(LEAF_TABLE, RAM_BASE >> 2 | 0xDB)
    pair.word(DATA, BY_NAME["addi"].encode(2, 2, 1))  # what a fetch there runs
    return pair


def access(pair, name, address, priv, status, svade=0):
    """Make one access and compare."""
    root = Root(svade=svade)
    csr = {"satp": SATP, "sstatus": status, "stvec": HANDLER}
    regs = {1: address, 3: 7}
    if ACCESSES[name] is None:
        pair.place(address, priv, csr, regs, root)
    else:
        pair.place(USER_CODE if priv == Level.U else RAM_BASE, priv, csr, regs, root)
    pair.step()


@pytest.mark.parametrize("name", ACCESSES)
@pytest.mark.parametrize("svade", [0, 1])
@pytest.mark.parametrize("place", ["page", "superpage", "misaligned superpage", "pointer"])
def test_every_flag(pair, name, place, svade):
    if ACCESSES[name] is not None:
        pair.word(RAM_BASE, BY_NAME[name].encode(*ACCESSES[name]))
    at, address = ROOT_TABLE + 4 * (SUPERPAGE >> 22), SUPERPAGE + (DATA & 0x3FFFFF)
    frame = {"superpage": RAM_BASE, "misaligned superpage": RAM_BASE + 0x1000}.get(place, DATA)
    if place == "page":
        at, address = LEAF_TABLE + 4, PAGE
    elif place == "pointer":  # a table of next level in the data page's place
        frame = DATA + 0x1000
        pair.word(frame + 4 * (DATA >> 12 & 0x3FF), DATA >> 2 | 0x1F)
    pairs = STATUS if place == "page" else [(0, 0), (1, 1)]
    for flags, priv, (sum_, mxr) in itertools.product(FLAGS, (0, 1), pairs):
        status = sum_ * SSTATUS_SUM | mxr * SSTATUS_MXR
        pair.word(at, frame >> 2 | flags)
        access(pair, name, address, priv, status, svade)
        assert pair.same_at(ROOT_TABLE, 0x4000)


def test_a_kernel_that_sets_the_bits_needs_no_fence(pair):
    """A miss on D walks again: with Svade the handler may set the bit and return."""
    pair.word(RAM_BASE, BY_NAME["sw"].encode(*ACCESSES["sw"]))
    pair.word(RAM_BASE + 4, BY_NAME["lw"].encode(*ACCESSES["lw"]))
    csr, regs = {"satp": SATP, "stvec": HANDLER}, {1: PAGE, 3: 7}
    root = Root(svade=1)
    pair.word(LEAF_TABLE + 4, DATA >> 2 | 0x47)  # A, not D
    pair.place(RAM_BASE + 4, Level.S, csr, regs, root)
    assert pair.step().load
    pair.move(RAM_BASE, Level.S, 0)
    assert pair.step().trap[0] == Exc.STORE_PAGE
    pair.word(LEAF_TABLE + 4, DATA >> 2 | 0xC7)
    pair.move(RAM_BASE, Level.S, 0)
    assert pair.step().store


@pytest.mark.parametrize("name", [name for name in ACCESSES if name != "fetch"])
def test_entries_stay_true_to_status_and_level(pair, name):
    """With a warm TLB: the same page again under another SUM, MXR or level, without a fence."""
    pair.word(RAM_BASE, BY_NAME[name].encode(*ACCESSES[name]))
    states = list(itertools.product((0, 1), (0, 1), (0, 1)))
    for flags in (0x0B, 0x17, 0x09, 0xDF):
        for before, after in itertools.permutations(states, 2):
            pair.word(LEAF_TABLE + 4, DATA >> 2 | flags)
            pair.place(RAM_BASE, Level.S, {"satp": SATP, "stvec": HANDLER}, {1: PAGE, 3: 7})
            for priv, sum_, mxr in (before, after):
                status = sum_ * SSTATUS_SUM | mxr * SSTATUS_MXR
                pair.move(USER_CODE if priv == Level.U else RAM_BASE, priv, status)
                pair.step()
            assert pair.same_at(ROOT_TABLE, 0x4000)


@pytest.mark.parametrize("name", ACCESSES)
def test_frames_that_are_not_there(pair, name):
    """Frames outside RAM, at the leaf and at the table."""
    if ACCESSES[name] is not None:
        pair.word(RAM_BASE, BY_NAME[name].encode(*ACCESSES[name]))
    for frame, flags in itertools.product((0, 0x80100, 0x3FFFFF), (0x01, 0x1F, 0x0F)):
        for at, address in ((LEAF_TABLE + 4, PAGE), (ROOT_TABLE + 8, SUPERPAGE)):
            pair.word(at, frame << 10 | flags)
            for priv in (0, 1):
                access(pair, name, address, priv, 0)
                assert pair.same_at(ROOT_TABLE, 0x4000)
