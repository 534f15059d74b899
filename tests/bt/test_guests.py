"""Every guest of ours behaves under each way of `bt` as on the bare machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import guests
from tests.bt.ways import bare, same, under_bt
from tests.guests.build import assembled
from tests.virtual import outcome
from vmm.engines.bt.record import Count

GUESTS = guests.catalogue()
QUICK = ("hello", "pages")  # the other ways on the other guests are slow
OTHER = ("callouts", "traps", "unadapted", "scattered", "few shadows", "small cache", "all small")
each_guest = pytest.mark.parametrize("guest", GUESTS.values(), ids=GUESTS)


def loading(guest):
    elf = assembled(guest).elf()

    def prepare(machine):
        machine.load(elf)
        machine.feed(guest.input.read_bytes() if guest.input else b"")
        machine.end_input()

    return prepare


def check(guest, way):
    native = same(loading(guest), guest.budget, way)
    assert (native.end, native.code) == guest.end


@each_guest
def test_on_the_leaky_machine(guest):
    check(guest, "leaky")


@pytest.mark.parametrize("way", OTHER)
@pytest.mark.parametrize("name", QUICK)
def test_in_every_way(name, way):
    check(GUESTS[name], way)


@pytest.mark.slow
@pytest.mark.parametrize("way", OTHER)
@pytest.mark.parametrize("guest", [g for n, g in GUESTS.items() if n not in QUICK],
                         ids=[n for n in GUESTS if n not in QUICK])  # fmt: skip
def test_the_rest_in_every_way(guest, way):
    check(guest, way)


@pytest.mark.parametrize("way", ["strict", "unadapted", "all small"])
def test_in_cycles_time_the_console_is_the_same(way):
    """If time counts cycles, an engine's own cycles are part of it, but the console is the same."""
    guest = GUESTS["toyix"]
    ends = []
    for made in (bare(way, clock="cycles"), under_bt(way, clock="cycles")):
        loading(guest)(made)
        run = outcome(made, 10 * guest.budget)
        ends.append((run.end, run.code, run.console))
    assert ends[1] == ends[0]


def test_a_small_cache_is_flushed():
    """The ways above do what they say."""
    made = under_bt("small cache")
    loading(GUESTS["toyix"])(made)
    made.run()
    assert made.private[0].count[Count.FLUSHES] > 10


def test_without_the_compiler():
    """What is compiled is Python: the whole translator also runs as Python."""
    code = """
import guests
from tests.bt.test_guests import loading
from tests.bt.ways import under_bt
for clock in ("icount", "cycles"):
    machine = under_bt("strict", mem=1 << 20, shadow=8, clock=clock)
    loading(guests.catalogue()["hello"])(machine)
    print(machine.run(100_000).name, machine.output().decode().strip())
"""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["HALTED hello, world"] * 2
