"""Going back and forward again, anywhere, shows the same states."""

import random
from collections import Counter

import pytest

import guests
from tests.guests.build import assembled
from toyisa.machine import Machine
from toyisa.tables.exits import Reason
from vmm.gdb import timeline as module
from vmm.gdb import until
from vmm.gdb.timeline import BEGIN, Timeline, Watch


def never():
    return False


@pytest.fixture
def recorded(monkeypatch):
    """A timeline on a guest, its console script and what it has printed."""
    monkeypatch.setattr(module, "FIRST_PERIOD", 1_000)
    monkeypatch.setattr(module, "MOST", 8)

    def make(name):
        guest = guests.catalogue()[name]
        machine = Machine(mem=(4 if name == "pages" else 16) << 20)
        machine.load(assembled(guest).elf())
        script = guest.input.read_bytes() if guest.input else b""
        pieces = [script[n : n + 3] for n in range(0, len(script), 3)]
        shown = bytearray()
        asked = iter([*pieces, b"\x04"])
        return Timeline(machine, lambda: next(asked, None), shown.extend), shown

    return make


def run_to_the_first_trap(timeline):
    while timeline.now[1] == 0:
        timeline.run(10)


def state(timeline):
    return timeline.machine.digest(), timeline.machine.cycles_by_class()


def test_every_step_back_is_the_step_before(recorded):
    timeline, _ = recorded("pages")
    run_to_the_first_trap(timeline)
    states = []
    for _ in range(100):
        states.append((timeline.now, state(timeline)))
        timeline.step()
    assert timeline.now[1] > states[0][0][1], "no trap was among the steps"
    for moment, expected in states[::-1]:
        timeline.step_back()
        assert (timeline.now, state(timeline)) == (moment, expected)


@pytest.mark.compiled
def test_random_seeks(recorded):
    timeline, shown = recorded("toyix")
    rng = random.Random(4)
    known = []
    while timeline.run(rng.randrange(1, 2_000_000)).why != Reason.HALTED:
        known.append((timeline.now, state(timeline)))
    printed = bytes(shown)
    last = state(timeline)
    assert printed == guests.catalogue()["toyix"].golden.read_bytes()
    for moment, expected in rng.sample(known, 10):
        timeline.seek(moment)
        assert (timeline.now, state(timeline)) == (moment, expected)
    while timeline.run(10_000_000).why != Reason.HALTED:
        pass
    assert state(timeline) == last
    assert bytes(shown) == printed, "output was shown twice"


def test_stepping_is_running(recorded):
    stepped, _ = recorded("pages")
    run, _ = recorded("pages")
    while stepped.search(5_000, (), ()).why != Reason.HALTED:
        pass
    while run.run(5_000).why != Reason.HALTED:
        pass
    assert (stepped.now, state(stepped)) == (run.now, state(run))


def test_breakpoints_backwards_are_those_forwards(recorded):
    timeline, _ = recorded("pages")
    timeline.run(2_000)
    seen = Counter()
    for _ in range(100):
        timeline.step()
        seen[int(timeline.machine.hart.pc)] += 1
    ((address, _),) = seen.most_common(1)
    timeline.restart()
    met = []
    while len(met) < 30 and timeline.search(1_000_000, (address,), ()).why == until.BREAKPOINT:
        met.append((timeline.now, state(timeline)))
    assert len(met) > 5
    for expected in met[-2::-1]:
        assert timeline.search_back((address,), (), never).why == until.BREAKPOINT
        assert (timeline.now, state(timeline)) == expected
    assert timeline.search_back((address,), (), never).why == BEGIN
    assert timeline.now == timeline.begin
    assert timeline.step_back().why == BEGIN


def test_watchpoints_backwards_stop_before_the_access(recorded):
    timeline, _ = recorded("pages")
    timeline.run(2_000)
    stack = Watch(int(timeline.machine.hart.x[2]) - 64, 64, until.WRITE)
    met = []
    while len(met) < 10 and timeline.search(3_000, (), (stack,)).why == until.WATCHPOINT:
        after = timeline.now
        timeline.step_back()
        met.append((timeline.now, state(timeline)))
        timeline.seek(after)
    assert len(met) > 5
    for expected in met[::-1]:
        stop = timeline.search_back((), (stack,), never)
        assert stop.why == until.WATCHPOINT
        assert stack.address <= stop.address < stack.address + stack.size
        assert (timeline.now, state(timeline)) == expected
