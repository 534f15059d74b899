"""The one walk of Sv32 tables: against the model's, and by tables that are read through tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyisa.core.sv32 import (
    BY_S,
    FETCH,
    LOAD,
    LOOK,
    MXR,
    STORE,
    SUM,
    SVADE,
    A,
    D,
    R,
    V,
    W,
    Why,
    X,
    plain_walk,
)  # fmt: skip
from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables.bits import BITS
from toyisa.tables.causes import Exc
from toyisa.tables.levels import Level
from toyisa.testing.model import Bus, Hart
from toyisa.testing.model.mmu import Access, translate
from toyisa.testing.model.trap import Trap

RAM = 0x8000_0000
ROOT, BELOW, VA = RAM + 0x1000, RAM + 0x2000, 0x0040_3008
ASKED = {FETCH: Access.FETCH, LOAD: Access.LOAD, STORE: Access.STORE}
FRAMES = st.sampled_from(
    [RAM >> 12, (RAM >> 12) + 5, 0x80400, 0x80600, 0x10000, 0x3F_FFFF, BELOW >> 12]
)
ENTRIES = st.builds(lambda frame, flags: frame << 10 | flags, FRAMES, st.integers(0, 0x3FF))


def read(words, at, _level):
    """An entry out of a dictionary, or 0; beyond 64 KiB there is no RAM."""
    return words.get(at, 0 if RAM <= at < RAM + (1 << 16) else -Why.TABLE_OUTSIDE)


walk = plain_walk(read)


@settings(max_examples=400, deadline=None)
@given(
    upper=st.one_of(st.just(BELOW >> 2 | V), ENTRIES), lower=ENTRIES,
    access=st.sampled_from([*ASKED]), by_s=st.booleans(), svade=st.booleans(),
    status=st.sampled_from([0, SUM, MXR, SUM | MXR]),
)  # fmt: skip
def test_it_agrees_with_the_model(upper, lower, access, by_s, svade, status):
    hart = Hart(Bus(1 << 16), RAM)
    hart.csr["satp"] = BITS["SATP_MODE_SV32"] | ROOT >> 12
    hart.csr["sstatus"], hart.priv, hart.svade = status, Level(by_s), svade
    words = {ROOT + 4 * (VA >> 22): upper, BELOW + 4 * (VA >> 12 & 0x3FF): lower}
    for at in (ROOT + 4 * (VA >> 22), BELOW + 4 * (VA >> 12 & 0x3FF)):
        hart.bus.store(at, 4, words[at])
    who = status | (BY_S if by_s else 0) | (SVADE if svade else 0)
    why, level, at, pte = walk(words, ROOT, VA, access, who)
    try:
        pa = translate(hart, VA, ASKED[access])
    except Trap as trap:
        outside = trap.cause in (Exc.INSN_ACCESS, Exc.LOAD_ACCESS, Exc.STORE_ACCESS)
        assert (why == Why.TABLE_OUTSIDE) == outside
        assert why
        return
    assert why == 0
    assert inspect.leads_to(level, pte, VA) == pa
    marked = pte | A | (D if access == STORE else 0)
    assert hart.bus.load(at, 4) == marked, "A and D belong in the entry that the walk names"


def test_whoever_looks_is_refused_by_nothing_but_the_tables():
    """No permission, no A and no D: but no rule of the entries themselves is passed over."""
    words = {
        ROOT + 4 * (VA >> 22): BELOW >> 2 | V,
        BELOW + 4 * (VA >> 12 & 0x3FF): RAM >> 2 | V | X,
    }
    assert walk(words, ROOT, VA, LOOK, SVADE)[0] == 0
    assert walk(words, ROOT, VA, LOAD, BY_S)[0] == Why.NOT_READABLE
    words[ROOT + 4 * (VA >> 22)] |= A
    assert walk(words, ROOT, VA, LOOK, SVADE)[0] == Why.RESERVED_TABLE
    words[ROOT + 4 * (VA >> 22)] = (RAM >> 2) + (1 << 10) | V | R
    assert walk(words, ROOT, VA, LOOK, SVADE)[0] == Why.MISALIGNED


def test_inspection_knows_all_the_rules_of_entries():
    """It went on through an entry that the MMU refuses: D, A or U without R and X."""
    machine = Machine(mem=1 << 20)
    machine.hart.csr.satp = BITS["SATP_MODE_SV32"] | ROOT >> 12
    for flags, pa in ((V, RAM + 8), (V | A, None), (V | D, None), (V | W, None)):
        machine.poke(ROOT + 4 * (VA >> 22), (BELOW >> 2 | flags).to_bytes(4, "little"))
        machine.poke(BELOW + 4 * (VA >> 12 & 0x3FF), (RAM >> 2 | V | R).to_bytes(4, "little"))
        seen = inspect.walk(machine, VA)
        assert seen.pa == pa
        assert (seen.why == "") == (pa is not None)


# A second stage: the first one's tables, and what its leaf names, are reached through other
# tables, of which the walk itself knows nothing.
SHIFT = 0x0040_0000  # guest-physical RAM is 4 MiB below


def nested(where, at, _level):
    """An entry at guest-physical `at`, by way of the second stage's tables."""
    words, root = where
    why, level, _at, pte = walk(words, root, at & 0xFFFF_FFFF, LOAD, 0)
    if why:
        return -100 - why  # what the second stage refuses, and that it is the second
    return words.get(inspect.leads_to(level, pte, at), -Why.TABLE_OUTSIDE)


two_stages = plain_walk(nested)


@pytest.fixture
def tables():
    """First stage: VA to a page of guest-physical RAM; second: RAM to what lies behind it."""
    guest_root, guest_below, host_root = RAM + 0x4000, RAM + 0x5000, RAM + 0x7000
    words = {}
    words[host_root + 4 * (RAM >> 22)] = (RAM + SHIFT) >> 2 | 0xDF  # a superpage, for U
    words[guest_root + SHIFT + 4 * (VA >> 22)] = guest_below >> 2 | V
    words[guest_below + SHIFT + 4 * (VA >> 12 & 0x3FF)] = (RAM + 0x6000) >> 2 | 0xDF
    return words, host_root, guest_root


def test_an_entry_may_be_read_through_a_second_stage(tables):
    words, host_root, guest_root = tables
    why, level, at, pte = two_stages((words, host_root), guest_root, VA, LOAD, 0)
    assert (why, level, inspect.leads_to(level, pte, VA)) == (0, 0, RAM + 0x6008)
    assert at == RAM + 0x5000 + 4 * (VA >> 12 & 0x3FF), "guest-physical"


def test_what_a_second_stage_refuses_is_told_with_its_entry(tables):
    words, host_root, guest_root = tables
    words[guest_root + SHIFT + 4 * (VA >> 22)] = 0x9000_0000 >> 2 | V
    why, level, at, _pte = two_stages((words, host_root), guest_root, VA, LOAD, 0)
    assert (why, level) == (100 + Why.INVALID, 0)
    assert at == 0x9000_0000 + 4 * (VA >> 12 & 0x3FF), "the address that htval tells of"
