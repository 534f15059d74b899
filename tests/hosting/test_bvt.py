"""Borrowed virtual time: shares, warps, and domains that sleep."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosting.fakehost import MS, US, Fake, FakeHost
from vmm.sched.bvt import SCALE

C, MCU = 5 * MS, 100 * US


def shares(host):
    total = sum(domain.ran for domain in host.domains)
    return {domain.name: domain.ran / total for domain in host.domains}


@pytest.mark.parametrize("weights", [(1, 2, 4, 8), (8, 1), range(1, 9)])
def test_shares_are_within_4_per_cent_of_the_weights(weights):
    host = FakeHost("bvt", *(Fake(str(w), weight=w) for w in weights))
    host.run(10_000 * MS)
    for name, share in shares(host).items():
        assert share == pytest.approx(int(name) / sum(weights), rel=0.04)


@settings(max_examples=25, deadline=None)
@given(
    weights=st.lists(st.integers(1, 1000), min_size=2, max_size=6),
    ctx_us=st.integers(10, 10_000), mcu_us=st.integers(1, 500),
)  # fmt: skip
def test_at_every_instant_virtual_times_are_a_turn_apart(weights, ctx_us, mcu_us):
    """And what is paid for is what was run, but for less than an `mcu` a turn."""
    mcu = mcu_us * US
    domains = [Fake(str(n), weight=weight) for n, weight in enumerate(weights)]
    host = FakeHost("bvt", *domains, ctx_us=ctx_us, mcu_us=mcu_us)

    def look():
        turn = (ctx_us * US // mcu + 3) * (SCALE // min(weights))
        times = [domain.mine.actual for domain in domains]
        assert max(times) - min(times) <= turn
        for domain in domains:
            paid = domain.mine.actual // domain.mine.m * mcu
            assert domain.ran <= paid < domain.ran + (domain.turns + 1) * mcu

    host.looks.append(look)
    host.run(500 * MS)


def test_who_wakes_has_no_claim_on_the_time_that_it_slept():
    sleeper, busy = Fake("sleeper"), Fake("busy")
    sleeper.wants = lambda now: (1_000 * MS, 10**18) if now < 1_000 * MS else (10**18, 10**18)
    sleeper.rests = lambda now: 3_000 * MS
    host = FakeHost("bvt", sleeper, busy)
    host.run(3_000 * MS)
    before = busy.ran
    host.run(3_100 * MS)
    assert busy.ran - before == pytest.approx(50 * MS, abs=2 * C)


def test_who_comes_later_begins_where_the_others_are_though_all_sleep():
    first = Fake("first")
    first.wants = lambda now: (now + 500 * MS, 10**18)
    first.rests = lambda now: now + 10 * MS
    host = FakeHost("bvt", first)
    host.run(505 * MS)
    late = host.add(Fake("late"), start=505 * MS)
    host.run(605 * MS)
    assert late.ran == pytest.approx(50 * MS, abs=2 * C)


def latencies(io, others=5, until=4_000, **options):
    host = FakeHost("bvt", io, *(Fake(f"busy{n}") for n in range(others)), **options)
    host.run(until * MS)
    return io.latencies


def test_a_warped_domain_runs_as_soon_as_it_wakes():
    plain = latencies(Fake("io").periodic(2 * MS, 11 * MS))
    warped = latencies(Fake("io", warp_us=100_000).periodic(2 * MS, 11 * MS))
    assert max(warped) <= 3  # an instruction
    assert sum(plain) / len(plain) > MS


def test_who_wakes_comes_before_those_with_the_same_virtual_time():
    """All that always run have the same A again and again: not the whole round comes first."""
    late = latencies(Fake("io").periodic(1, 640 * MS), others=100, until=20_000)
    assert len(late) == 31
    assert max(late) <= 2 * C


def test_a_warp_borrows_and_gives_no_more():
    """In the long run a warped domain has its share, and no more."""
    greedy = Fake("greedy", warp_us=50_000)
    greedy.wants = lambda now: (now + 20 * MS, 10**18)
    greedy.rests = lambda now: now + 1
    host = FakeHost("bvt", greedy, Fake("busy"))
    host.run(10_000 * MS)
    assert shares(host)["greedy"] == pytest.approx(1 / 2, rel=0.04)


def test_a_warp_ends_at_its_limit_and_comes_again_after_a_pause():
    io = Fake("io", warp_us=10_000_000, warp_limit_us=30_000, unwarp_us=200_000)
    io.wants = lambda now: (now + 1_000 * MS, 40 * MS)
    io.rests = lambda now: now + MS
    busy = Fake("busy")
    host, seen, warm = FakeHost("bvt", io, busy), [], set()
    host.looks.append(lambda: seen.append((host.now, io.mine.warped)))
    host.looks.append(lambda: warm.add(io.mine.warm))
    host.run(1_000 * MS)
    turns = [now for (now, warped), (_, before) in zip(seen[1:], seen) if warped and not before]
    assert len(turns) >= 3
    assert all(b - a >= 200 * MS for a, b in pairwise(turns))
    assert 30 * MS <= max(warm) < 31 * MS
    assert busy.ran > 300 * MS


def test_alone_a_domain_has_the_hart_for_10_c_and_less_when_another_one_comes():
    first = Fake("first")
    host = FakeHost("bvt", first)
    host.run(MS)
    assert host.ends[0] == 10 * C
    second = host.add(Fake("second"), start=2 * MS)
    host.run(20 * MS)
    assert second.ran > 0


def test_a_weight_that_a_hart_cannot_give_starves_nobody_when_it_is_changed():
    heavy = Fake("heavy", weight=65536)
    others = [Fake(str(n), weight=256) for n in range(3)]
    host = FakeHost("bvt", heavy, *others, harts=2)
    host.run(5_000 * MS)
    assert heavy.ran == pytest.approx(5_000 * MS, rel=0.01)
    host.set(heavy, weight=256)
    before = [domain.ran for domain in others]
    host.run(5_400 * MS)
    for domain, ran in zip(others, before):
        assert domain.ran - ran == pytest.approx(200 * MS, abs=40 * MS)


def test_who_may_run_on_several_harts_is_ahead_on_none():
    """The harts' virtual times are far apart."""
    alone, crowd = Fake("alone", pins=[7]), [Fake(str(n), pins=[0]) for n in range(3)]
    host = FakeHost("bvt", alone, *crowd, harts=8)
    host.run(1_000 * MS)
    host.add(Fake("free", pins=[0, 7]), start=1_000 * MS)
    before = alone.ran
    host.run(1_200 * MS)
    assert alone.ran - before == pytest.approx(100 * MS, abs=3 * C)


def test_who_comes_to_another_hart_begins_where_the_others_are():
    alone, crowd = Fake("alone", pins=[1]), [Fake(str(n), pins=[0]) for n in range(3)]
    host = FakeHost("bvt", alone, *crowd, harts=2)
    host.run(3_000 * MS)
    host.set(crowd[0], pins=frozenset([1]))
    before = alone.ran
    host.run(3_200 * MS)
    assert alone.ran - before == pytest.approx(100 * MS, abs=3 * C)
    free = host.add(Fake("free"), start=3_200 * MS)
    before = alone.ran
    host.run(3_500 * MS)
    assert alone.ran - before == pytest.approx(100 * MS, abs=4 * C)
    host.set(free, pins=frozenset([0]))
    before = free.ran
    host.run(3_800 * MS)
    assert free.ran - before == pytest.approx(100 * MS, abs=4 * C)


@pytest.mark.parametrize(("options", "said"), [
    ({"warp": 1}, "no option 'warp'; there are warp_us, warp_limit_us, unwarp_us"),
    ({"warp_us": -1}, "domain 'd': warp_us is a whole number from 0 on, not -1"),
    ({"warp_us": "soon"}, "warp_us is a whole number from 0 on, not 'soon'"),
])  # fmt: skip
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        FakeHost("bvt", Fake("d", **options))
    with pytest.raises(ValueError, match="ctx_us is a whole number from 10 on, not 9"):
        FakeHost("bvt", ctx_us=9)
