"""Which bit refuses an access agrees with the MMU, for every entry and access."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyisa.core.memory import RAM_BASE
from toyisa.core.mmu import ACCESS_FAULT, walk
from toyisa.core.sv32 import FETCH, LOAD, MXR, STORE, SUM, A, D, G, R, U, V, W, X
from toyisa.core.tlb import PAGED, recontext
from toyisa.look.refusal import Access, Why, refusal
from toyisa.machine import Machine
from toyisa.tables.levels import Level

ROOT, BELOW, VA = RAM_BASE + 0x1000, RAM_BASE + 0x2000, 0x0040_3008
KINDS = {Access.FETCH: FETCH, Access.LOAD: LOAD, Access.STORE: STORE}


@pytest.fixture(scope="module")
def machine():
    return Machine(mem=1 << 20)


def set_up(machine, upper, lower, level, status, svade):
    machine.poke(ROOT + 4 * (VA >> 22), upper.to_bytes(4, "little"))
    machine.poke(BELOW + 4 * (VA >> 12 & 0x3FF), lower.to_bytes(4, "little"))
    hart = machine.hart
    hart.csr.satp, hart.csr.sstatus = PAGED | ROOT >> 12, status
    hart.priv, hart.root.svade = level, svade
    recontext(hart)


FRAME = st.sampled_from([RAM_BASE >> 12, (RAM_BASE >> 12) + 5, 0x80400, 0x10000, 0x3FFFFF])
ENTRY = st.builds(lambda frame, flags: frame << 10 | flags, FRAME, st.integers(0, 0x3FF))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.just(BELOW >> 2 | V), ENTRY), ENTRY, st.sampled_from([*Access]),
    st.sampled_from([Level.U, Level.S]), st.sampled_from([0, SUM, MXR, SUM | MXR]), st.booleans(),
)  # fmt: skip
def test_it_agrees_with_the_walk(machine, upper, lower, access, level, status, svade):
    set_up(machine, upper, lower, level, status, svade)
    told = refusal(machine, VA, access, level)
    leaf = walk(machine.hart, machine.memory, VA, KINDS[access], True)
    if told is None or (told.why is Why.OUTSIDE and told.level >= 0):
        assert leaf >= 0  # the walk does not say that there is no RAM behind a leaf
    else:
        assert (leaf == ACCESS_FAULT) == (told.why is Why.TABLE_OUTSIDE)
        assert leaf < 0


OK = V | R | W | X | U | A | D
S, FROM_U = Level.S, Level.U
WORDS = [
    (OK & ~V, Access.LOAD, FROM_U, 0, 0, "load refused: V clear, in the entry at 0x8000200c"),
    (OK & ~R, Access.LOAD, FROM_U, 0, 0, "W set and R clear, which is reserved"),
    (V | X | U | A, Access.LOAD, FROM_U, 0, 0, "R clear (X is set, but MXR in sstatus is clear)"),
    (OK & ~W, Access.STORE, FROM_U, 0, 0, "store refused: W clear, in the leaf at 0x8000200c"),
    (OK & ~X, Access.FETCH, FROM_U, 0, 0, "fetch refused: X clear"),
    (OK & ~U, Access.LOAD, FROM_U, 0, 0, "U clear, and the access came from U"),
    (OK, Access.LOAD, S, 0, 0, "U set, and SUM in sstatus is clear"),
    (OK, Access.FETCH, S, SUM, 0, "U set: S never executes a user's page"),
    (OK & ~A, Access.LOAD, FROM_U, 0, 1, "A clear (the machine has Svade"),
    (OK & ~D, Access.STORE, FROM_U, 0, 1, "D clear (the machine has Svade"),
    (V | G, Access.LOAD, S, 0, 0, "R and X clear at the last level"),
]


@pytest.mark.parametrize(("flags", "access", "level", "status", "svade", "text"), WORDS)
def test_the_bit_is_named(machine, flags, access, level, status, svade, text):
    set_up(machine, BELOW >> 2 | V, RAM_BASE >> 2 | flags, level, status, svade)
    told = str(refusal(machine, VA, access, level))
    assert text in told
    assert "level 0" in told


def test_the_upper_level_is_named(machine):
    leaf = RAM_BASE >> 2 | 1 << 10 | OK
    for entry, text in (
        (leaf, "a superpage whose frame is not a multiple of 4 MiB, in the leaf at 0x80001004"),
        (BELOW >> 2 | V | U, "which is reserved, in the entry at 0x80001004"),
        (0x1000_0000 >> 2 | V, "the table is outside RAM: its entry would be at 0x1000000c"),
    ):
        set_up(machine, entry, 0, Level.U, 0, 0)
        assert text in str(refusal(machine, VA, Access.LOAD, Level.U))


def test_without_paging_only_places_refuse(machine):
    machine.hart.csr.satp = 0
    recontext(machine.hart)
    for va, access in itertools.product((0, 0x7FFF_FFFF, 0x8010_0000), Access):
        assert refusal(machine, va, access, Level.S).why is Why.OUTSIDE
    assert refusal(machine, 0x1000_0000, Access.LOAD, Level.S) is None  # the console
    assert refusal(machine, 0x1000_0000, Access.FETCH, Level.S).why is Why.OUTSIDE
    assert refusal(machine, RAM_BASE, Access.FETCH, Level.S) is None
