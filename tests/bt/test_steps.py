"""One instruction at a time, in the guest's terms: the same steps as on the bare machine."""

import pytest

import guests
from tests.bt.test_guests import loading
from tests.bt.ways import bare, under_bt
from toyisa.testing import lockstep

GUESTS = guests.catalogue()
FIELDS = ("pc", "insn", "reg", "trap", "next_pc", "csrs")


def pair_of(guest, way, skip=0):
    pair = bare(way), under_bt(way)
    for machine in pair:
        loading(GUESTS[guest])(machine)
        if skip:
            machine.run(skip)
    return pair


@pytest.mark.parametrize("way", ["strict", "leaky", "traps", "small cache"])
@pytest.mark.parametrize(("guest", "skip"), [("toyix", 0), ("toyix", 60_000), ("pages", 0)])
def test_steps_are_the_same(guest, skip, way):
    native, translated = pair_of(guest, way, skip)
    for n in range(1500):
        if native.how:
            break
        a, b = native.step(), translated.step()
        for field in FIELDS:
            assert getattr(a, field) == getattr(b, field), (n, field)
    assert native.guest_digest() == translated.guest_digest()
    assert native.hart.trail == translated.hart.trail


def test_steps_and_runs_mixed():
    """A step within a block, then on at full speed."""
    native, translated = pair_of("toyix", "strict")
    for n in range(1, 300):
        for machine in (native, translated):
            machine.run(n * 7 % 53)
            machine.advance()
        assert int(native.hart.pc) == int(translated.hart.pc)
        assert native.instret == translated.instret
    assert native.guest_digest() == translated.guest_digest()


def test_in_cycles_time_steps_are_guest_steps():
    """A step is one guest instruction, whatever it is translated to."""
    pair = bare("strict", clock="cycles"), under_bt("strict", clock="cycles")
    for machine in pair:
        loading(GUESTS["pages"])(machine)
    found = lockstep(*pair, 400)
    assert found is None, found
