"""Law 4: the unmodified guest behaves the same, trap by trap, wherever it runs."""

from pathlib import Path

import pytest

import guests
from tests.guests.build import assembled
from tests.virtual import NATIVE, compare, each_engine, each_layout, machine, outcome

GUESTS = guests.catalogue()
LINUX = Path(__file__).parents[2] / "build" / "linux"
each_guest = pytest.mark.parametrize("guest", GUESTS.values(), ids=GUESTS)


def loading(guest):
    """A function that puts the guest into a machine, with its whole input from the first moment."""
    elf = assembled(guest).elf()

    def prepare(machine):
        machine.load(elf)
        machine.feed(guest.input.read_bytes() if guest.input else b"")
        machine.end_input()

    return prepare


@each_engine
@each_layout
@each_guest
def test_every_guest(guest, engine, layout):
    bare = compare(loading(guest), guest.budget, engine, layout=layout)
    assert (bare.end, bare.code) == guest.end
    if guest.golden:
        assert bare.console.decode() == guest.golden.read_text()


@each_engine
@pytest.mark.parametrize("cost", ["p4", "modern"])
@pytest.mark.parametrize("clock", ["icount", "cycles"])
def test_two_runs_are_the_same(engine, cost, clock):
    """Law 6 under a monitor: its own figures are the same, too."""
    seen = []
    for _ in range(2):
        made = machine(engine, cost=cost, clock=clock)
        loading(GUESTS["toyix"])(made)
        seen.append((outcome(made, GUESTS["toyix"].budget), made.cycles, made.exits()))
    assert seen[0] == seen[1]
    assert seen[0][0].console.decode() == GUESTS["toyix"].golden.read_text()


@each_engine
@pytest.mark.parametrize("slice_", [1009, 99_991])
def test_a_budget_ends_a_run_to_the_instruction(engine, slice_):
    """Run in slices, each ends where the bare machine's does, in the same state."""
    runs = [machine(name) for name in (NATIVE, engine)]
    for made in runs:
        loading(GUESTS["toyix"])(made)
    for n in range(1, 40):
        bare, virtual = (outcome(made, slice_) for made in runs)
        assert virtual == bare
        assert bare.instret == n * slice_


@each_engine
def test_slices_change_no_figure(engine):
    """Neither the guest nor its cycles may depend on how often the host looks."""
    whole, sliced = (machine(engine, clock="cycles", cost="p4") for _ in range(2))
    for made in (whole, sliced):
        loading(GUESTS["pages"])(made)
    whole.run()
    while sliced.run(101).name == "BUDGET":
        pass
    # What root does to enter again after a slice is counted as `other`, otherwise with the last
    # exit.
    counts = [{kind: row["count"] for kind, row in made.exits().items() if kind != "other"}
              for made in (whole, sliced)]  # fmt: skip
    spent = [int(made.vm.stats.cycles.sum()) for made in (whole, sliced)]
    assert counts[0] == counts[1]
    if engine != "bt":  # bt goes on to the guest's next boundary, which is counted as root's
        assert spent[0] == spent[1]
    assert (whole.cycles, whole.digest()) == (sliced.cycles, sliced.digest())


@pytest.mark.slow
@pytest.mark.skipif(not (LINUX / "Image").exists(), reason="run `make linux` first")
@each_engine
@each_layout
def test_linux(engine, layout):
    def prepare(machine):
        machine.load_kernel(LINUX / "Image")
        machine.end_input()

    bare = compare(prepare, 200_000_000, engine, layout=layout, mem=32 << 20)
    assert (bare.end, bare.code) == ("HALTED", 0)
    assert b"init: done" in bare.console
