"""Address-space ids: no space finds translations of another, and two guests can share a machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import shadowcheck
from tests.laws.test_shadow_evictions import BODIES
from tests.smallkernels import kernel
from tests.virtual import LAYOUTS, NATIVE, machine, outcome
from toyisa.core import state
from toyisa.core.memory import MEMORY, PAGE, reset_memory, sparse
from toyisa.core.tlb import flush
from toyisa.tables.bits import ASID, SATP_ASID_MASK, SATP_ASID_SHIFT
from toyisa.tables.exits import Reason
from vmm import machine as vmm_machine
from vmm.domain.asids import (
    ASIDS,
    FREE,
    GIVEN_BACK,
    TAKEN,
    forget_returned,
    return_id,
    take_id,
)
from vmm.domain.host import Platform
from vmm.memory.guestram import GuestDma

PLACES = 32


class Ids:
    """The allocator, a hart whose TLB holds what spaces have put there, and tags of spaces."""

    def __init__(self, free=ASID):
        self.asids = np.zeros(1, ASIDS)[0]
        self.asids.state[free + 1 :] = TAKEN  # by guests that we do not see
        self.hart, self.mem = state.new_hart(), sparse(1, MEMORY)[0]
        reset_memory(self.mem)
        self.hart.tlb.dmask = self.hart.tlb.imask = PLACES - 1
        self.hart.tlb.dkey[:] = self.hart.tlb.ikey[:] = -1
        self.tags = {}

    def run(self, space, wanted=1):
        """A space runs: it must find nothing of another one; then all places are its own."""
        tlb = self.hart.tlb
        tag = take_id(self.asids, self.hart, self.mem, self.tags.get(space, 0), wanted)
        self.tags[space], number = tag, tag & ASID
        assert number
        mine = (tlb.dkey[:PLACES] >= 0) & (tlb.dkey[:PLACES] >> 20 == number)
        assert set(tlb.dpte[:PLACES][mine].tolist()) <= {space}
        tlb.dkey[:PLACES] = number << 20 | np.arange(PLACES)
        tlb.dpte[:PLACES] = space
        return number

    def end(self, space):
        return_id(self.asids, self.tags.pop(space, 0))

    def flush_all(self):
        flush(self.hart, -1, -1)
        forget_returned(self.asids)


STEPS = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 9), st.integers(1, 6)),
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.just("flush_all")),
)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.lists(STEPS, max_size=40))
def test_no_space_finds_what_another_has_left(free, steps):
    ids = Ids(free)
    for act, *arguments in steps:
        before = int(ids.asids.generation)
        getattr(ids, act)(*arguments)
        held = [t & ASID for t in ids.tags.values() if t >> 9 == ids.asids.generation]
        assert len(held) == len(set(held))
        assert all(ids.asids.state[number] == TAKEN for number in held)
        assert ids.asids.returned == (ids.asids.state == GIVEN_BACK).sum()
        if ids.asids.generation != before:
            assert len(held) == 1  # of the space that found none left


def test_an_id_that_was_given_back_is_flushed_before_another_space_gets_it():
    ids = Ids(free=1)
    assert ids.run(11) == 1
    ids.end(11)
    assert ids.asids.state[1] == GIVEN_BACK
    assert ids.run(12) == 1  # which asserts that it finds nothing of 11
    assert ids.asids.flushes == 1
    ids.end(12)
    ids.flush_all()
    assert ids.asids.state[1] == FREE
    assert ids.run(13) == 1
    assert ids.asids.flushes == 1  # the TLB had forgotten everything: no need


def test_one_that_needs_no_flush_is_preferred_unless_it_is_asked_for():
    ids = Ids(free=3)
    assert ids.run(11, 1) == 1
    assert ids.run(12, 1) == 2
    ids.end(11)
    assert ids.run(13, 2) == 3
    assert ids.asids.flushes == 0
    assert ids.run(14, 1) == 1
    assert ids.asids.flushes == 1


def test_when_none_is_left_all_spaces_lose_theirs():
    ids = Ids()
    got = [ids.run(n) for n in range(ASID)]
    assert sorted(got) == list(range(1, ASID + 1))
    assert ids.run(0) == 1
    assert ids.asids.generation == 0
    assert ids.run(9999, 7) == 7  # and finds nothing of the one that had 7
    assert ids.asids.generation == 1
    ids.end(5)  # its id was of the generation before: nothing to give back
    assert ids.asids.returned == 0
    assert len({ids.run(n) for n in range(10, 20)} | {7}) == 11


def ran(made, budget):
    """Whether it goes on after so many instructions; the monitor's tables must be right."""
    reason = made.run(budget)
    found = shadowcheck.faults(made)
    assert not found, found
    return reason == Reason.BUDGET


@pytest.mark.parametrize("layout", ["plain", "tiny"])
@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_a_lone_guest_has_the_numbers_of_its_root_tables(engine, layout):
    made = machine(engine, **LAYOUTS[layout])
    kernel(BODIES["more spaces than shadow frames, each its own root and table"][0])(made)
    spaces = set()
    while ran(made, 40):
        root = int(made.vm.shadow.root)
        satp = int(made.host.hart.csr.satp)
        assert (satp & SATP_ASID_MASK) >> SATP_ASID_SHIFT == root + 1
        spaces.add(root)
    assert len(spaces) > 2
    asids = made.host.record[0].asids
    assert asids.generation == 0
    assert asids.flushes == 0 or layout == "tiny"  # where tables are evicted


def beside(other, base, **options):
    """Another guest of the machine that `other` is on; its frames begin at `base`."""
    made = machine("trap", **options)
    vm, host, bytes_ = made.vm, other.host, slice(base * PAGE, base * PAGE + made.host.ram.size)
    host.ram[bytes_] = made.host.ram
    made.pages["mfn"] += base
    host.frames["gfn"][made.pages["mfn"]] = np.arange(len(made.pages))
    vm.host = host.record.ctypes.data
    vm.shadow.start += base
    vm.own += base
    made.host = host
    made._dma = made.bus._dma = GuestDma(host, vm, made.pages)
    return made


NAMES = list(BODIES)[:2]


@pytest.mark.parametrize("slice_", [7, 50])
@pytest.mark.parametrize("free", [2, ASID])
def test_two_guests_take_turns_on_one_machine(free, slice_, monkeypatch):
    alone = []
    for name in NAMES:
        made = machine(NATIVE)
        kernel(BODIES[name][0])(made)
        alone.append(outcome(made, 1 << 20))
    with monkeypatch.context() as patch:
        patch.setattr(vmm_machine, "Platform", lambda size: Platform(2 * size))
        first = machine("trap", shadow=5, scatter=2)
    guests = [first, beside(first, first.host.ram.size // PAGE // 2, shadow=5, scatter=2)]
    asids = first.host.record[0].asids
    for guest, name in zip(guests, NAMES):
        kernel(BODIES[name][0])(guest)
    going, spaces = True, set()
    while going:
        going = False
        asids.state[free + 1 :] = TAKEN  # guests that we do not see take what they can
        for guest in guests:
            going |= ran(guest, slice_)
            spaces.add(int(guest.host.hart.csr.satp) & SATP_ASID_MASK)
    for guest, want in zip(guests, alone):
        seen = outcome(guest, 0)
        assert (seen.code, seen.console, seen.digest) == (want.code, want.console, want.digest)
        assert (seen.trail, seen.traps, seen.state) == (want.trail, want.traps, want.state)
    assert len(spaces) > 2
    assert (asids.generation > 0) == (free < ASID)
