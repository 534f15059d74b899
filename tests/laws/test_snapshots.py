"""A machine that is saved at any point and restored elsewhere ends like one that was not saved."""

import random

import pytest

import guests
from tests.guests.build import assembled
from toyisa.machine import Exit, Machine

COUNTS = [20, pytest.param(200, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def elfs():
    return {name: assembled(guest).elf() for name, guest in guests.catalogue().items()}


def booted(elfs, name, cost="p4"):
    machine = Machine(cost=cost)
    machine.load(elfs[name])
    script = guests.catalogue()[name].input
    if script:
        machine.feed(script.read_bytes() + b"\x04")
    machine.end_input()
    return machine


def ended(machine):
    """Everything that two runs of one guest must agree on when it has ended."""
    assert machine.run() is Exit.HALTED
    return (
        machine.output(), machine.digest(), machine.cycles, machine.instret,
        machine.cycles_by_class(), machine.traps_by_cause(), machine.code,
    )  # fmt: skip


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("name", "cost"), [("pages", "p4"), ("toyix", "p4"), ("toyix", "modern")])
def test_restored_at_random_points(elfs, tmp_path, name, cost, count):
    whole = booted(elfs, name, cost)
    expected = ended(whole)
    points = random.Random(1).sample(range(1, whole.instret), count)
    runner = booted(elfs, name, cost)
    for point in sorted(points):
        runner.run(point - runner.instret)
        runner.save(tmp_path / "state")
        # In a chain, so that one run shows what is lost over many restores.
        runner = Machine.restore(tmp_path / "state")
        assert runner.instret == point
    assert ended(runner) == expected


@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_restored_and_run_to_the_end_each_time(elfs, tmp_path, count):
    whole = booted(elfs, "toyix")
    expected = ended(whole)
    for point in random.Random(2).sample(range(1, whole.instret), count):
        machine = booted(elfs, "toyix")
        machine.run(point)
        machine.save(tmp_path / "state")
        assert ended(machine) == expected, "saving changed the machine"
        assert ended(Machine.restore(tmp_path / "state")) == expected
