"""The guests that load a host do what they say, alone and in company, under every engine."""

from itertools import pairwise

import pytest

import guests
from tests.guests import pvops
from tests.guests.build import assembled
from toyisa.machine import Machine
from vmm import engines
from vmm.experiments import loads
from vmm.hosting.domain import State
from vmm.hosting.host import Host

each_engine = pytest.mark.parametrize("engine", ["trap", "bt", "pv"])
SLICE = 5  # ms: a turn of rr
COLD = 100  # us: less than that a translator needs for code that it has not seen before


def bare(name, **defines):
    made = Machine(mem=1 << 20)
    made.load(loads.image(name, "trap", **defines))
    return made


def alone(name, ms, engine, **defines):
    host = Host(mem=16 << 20)
    made = loads.add(host, name, name, engine, defines=defines)
    host.run(until=host.ms(ms))
    return host, made


def in_company(name, engine, ms=400, hogs=2, **defines):
    host = Host(mem=64 << 20)
    for n in range(hogs):
        loads.add(host, f"hog{n}", "hog", engine)
    made = loads.add(host, name, name, engine, defines=defines)
    host.run(until=host.ms(ms))
    return host, made


def test_a_hog_works_all_the_time_on_the_bare_machine():
    made, done = bare("hog"), []
    for _ in range(3):
        made.run(1_000_000)
        done.append(loads.rounds(made))
    assert done[0] > 10_000
    assert abs(done[2] - 2 * done[1] + done[0]) <= 1
    assert int(made.hart.clock.idle) == 0


@each_engine
def test_a_hog_works_all_the_time(engine):
    host, made = alone("hog", 20, engine)
    before, spent = loads.rounds(made), made.ran
    host.run(until=host.ms(40))
    per_round = (made.ran - spent) / (loads.rounds(made) - before)
    assert 240 < per_round < 280  # sixteen divisions of 15 cycles, and the loop
    assert made.sleeps == 0
    assert host.seats[0].idle == 0


def test_a_probe_sleeps_on_the_bare_machine():
    made = bare("probe")
    made.run(100_000)
    found = loads.lateness(made)
    assert found.count > 100
    assert found.most <= 1
    assert int(made.hart.clock.idle) > 0.99 * made.cycles


@each_engine
def test_a_probe_sleeps_and_is_on_time_if_it_is_alone(engine):
    host, made = alone("probe", 400, engine)
    found = loads.lateness(made)
    assert 170 <= found.count <= 230  # each 1 to 3 ms
    assert sum(found.bins) == found.count
    assert found.mean <= found.most < COLD
    assert made.ran < 0.01 * host.now
    assert abs(made.sleeps - found.count) <= 1


@each_engine
def test_a_probe_measures_what_the_host_measures(engine):
    host, made = in_company("probe", engine, ms=2 * SLICE + 1)
    first = made.stolen  # until it began: no timer was due
    assert loads.lateness(made).count == 0
    host.run(until=host.ms(400))
    found = loads.lateness(made)
    assert found.count > 20
    assert int(made.latency.sum()) == found.count
    # Some are woken when a turn ends; the others wait for one hog, or for two
    assert SLICE * 1000 < found.most < 2.1 * SLICE * 1000
    waited = (made.stolen - first) / host.us / found.count
    assert waited <= found.mean <= waited + 10
    # The bins are the host's, in ticks instead of cycles
    high = max(n for n, count in enumerate(found.bins) if count)
    assert 2 ** (high - 1) <= found.most * loads.US < 2**high


@each_engine
def test_intervals_are_irregular_and_as_long_as_is_asked_for(engine):
    _, rare = alone("probe", 400, engine, PERIOD=200_000)
    assert 17 <= loads.lateness(rare).count <= 23


@each_engine
def test_what_came_after_a_moment(engine):
    host, made = in_company("busy", engine, ms=300, PERIOD=50_000)
    before = loads.lateness(made)
    none = before.since(before)
    assert (none.count, none.total, none.most, sum(none.bins)) == (0, 0, 0, 0)
    seen = []
    for ms in range(301, 601):
        host.run(until=host.ms(ms))
        seen.append(loads.lateness(made))
    after = seen[-1].since(before)
    assert before.count + after.count == seen[-1].count
    assert sum(after.bins) == after.count > 10
    assert before.mean * before.count + after.mean * after.count == pytest.approx(seen[-1].total)
    totals = [before.total, *(late.total for late in seen)]
    largest = max(b - a for a, b in pairwise(totals))  # one a millisecond
    assert largest <= after.most <= max(2 * largest, before.most)


def test_a_busy_one_computes_on_the_bare_machine():
    made = bare("busy")
    made.run(30_000_000)
    assert loads.lateness(made).count >= 1
    assert loads.rounds(made) > 900_000
    assert int(made.hart.clock.idle) == 0


@each_engine
def test_a_busy_one_is_late_when_others_have_the_hart(engine):
    _, made = alone("busy", 200, engine, PERIOD=50_000)
    assert loads.lateness(made).count >= 30
    assert loads.lateness(made).most < COLD
    host, made = in_company("busy", engine, ms=1000, PERIOD=200_000)
    found = loads.lateness(made)
    assert found.count >= 30
    assert 1.5 * SLICE * 1000 < found.most < 2.1 * SLICE * 1000
    assert made.sleeps == 0
    assert abs(made.ran - host.now / 3) < host.ms(SLICE)


def test_a_thief_on_the_bare_machine():
    made = bare("thief")
    made.run(20_000_000)
    assert loads.word(made, "naps") >= 3
    assert 0 < int(made.hart.clock.idle) < 0.01 * made.cycles


@each_engine
@pytest.mark.parametrize("company", [False, True])
def test_a_thief_is_never_seen_at_a_tick(engine, company):
    host = Host(mem=64 << 20)
    made = loads.add(host, "thief", "thief", engine)
    if company:
        loads.add(host, "hog", "hog", engine)
    for tick in range(1, 41):
        host.run(until=host.ms(10 * tick))
        assert made.state is not State.RUNNING
    assert made.ran > (0.45 if company else 0.98) * host.now
    assert loads.word(made, "naps") >= (20 if company else 38)


@pytest.mark.parametrize(("name", "counts", "least"), [
    ("hog", "rounds", 20_000), ("busy", "late_count", 1), ("probe", "late_count", 50),
    ("thief", "naps", 3), ("storm", "rounds", 500),
])  # fmt: skip
def test_operations_may_change_what_they_are_allowed_to(name, counts, least, tmp_path):
    guest = guests.catalogue()[name]
    made = Machine(mem=1 << 20)
    made.load(assembled(guest, pvops=pvops.poisoned(), where=tmp_path).elf())
    made.run(guest.budget)
    assert loads.word(made, counts) >= least


def test_a_storm_calls_the_firmware_on_the_bare_machine():
    made = bare("storm")
    made.run(100_000)
    assert loads.rounds(made) > 9_000
    assert made.traps_by_cause() == {"ecall_s": loads.rounds(made) + 1}


@each_engine
def test_a_storm_calls_the_monitor(engine):
    _, made = alone("storm", 10, engine)
    kind = "hypercall" if engines.find(engine).build == "pv" else "sbi"
    count = made.exits()[kind]["count"]
    assert count > 4_000
    assert abs(count - loads.rounds(made)) <= 3


@each_engine
def test_toyix_uses_what_memory_there_is(engine):
    host = Host(mem=64 << 20)
    guest = guests.catalogue()["toyix"]
    elf = assembled(guest, defines=guests.BUILDS["pv" if engine == "pv" else ""]).elf()
    sizes = {}
    for mem in (1, 6, 8, 9):
        made = host.domain(f"{mem}", elf, engine=engine, mem=mem << 20,
                           input=guest.input.read_bytes())  # fmt: skip
        assert host.run() == "over"
        assert made.code == 0, made.output()
        sizes[mem] = int(made.output().split(b"pages: ")[1].split()[0])
    # All of RAM but the kernel's 512 KiB, and what the end is left for; at most 7.5 MiB.
    assert sizes == {1: 111, 6: 1391, 8: 1903, 9: 1920}


def test_the_ids_that_one_guest_has_chosen_mean_nothing_for_the_next():
    """`pv` guests choose their ids themselves; the TLB outlives them."""
    host = Host(mem=64 << 20)
    guest = guests.catalogue()["toyix"]
    for n, engine in enumerate(("pv", "pv", "trap", "bt", "pv")):
        elf = assembled(guest, defines=guests.BUILDS["pv" if engine == "pv" else ""]).elf()
        made = host.domain(f"{n}", elf, engine=engine, mem=2 << 20, input=guest.input.read_bytes())
        assert host.run() == "over"
        assert made.code == 0, made.output()
