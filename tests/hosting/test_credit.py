"""The credit scheduler: shares, caps, boosts, and who can rob it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm.sched.earning import Priority

SLICE, TICK = 30 * MS, 10 * MS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(64, 1024), min_size=2, max_size=5))
def test_at_every_instant_a_domain_has_its_share_but_for_a_few_slices(weights):
    domains = [Fake(str(n), weight=weight) for n, weight in enumerate(weights)]
    host = FakeHost("credit", *domains)

    def look():
        for domain in domains:
            due = host.now * domain.weight / sum(weights)
            assert abs(domain.ran - due) <= 2 * len(weights) * SLICE

    host.looks.append(look)
    host.run(5_000 * MS)


@pytest.mark.parametrize("cap", [1, 5, 10, 25, 50, 90, 100])
@pytest.mark.parametrize("accounting", ["exact", "sampled"])
def test_a_cap_holds_though_the_hart_is_idle(cap, accounting):
    """From one account to the next a domain may be a hart's worth of credits ahead, or behind."""
    capped = Fake("capped", cap=cap)
    host = FakeHost("credit", capped, accounting=accounting)

    def look():
        assert capped.ran <= host.now * cap / 100 + 2 * SLICE

    host.looks.append(look)
    host.run(20_000 * MS)
    assert capped.ran == pytest.approx(20_000 * MS * cap / 100, abs=2 * SLICE)
    assert host.idle[0] + capped.ran == host.now


def test_a_cap_that_is_lifted_lets_the_domain_run_at_once():
    capped = Fake("capped", cap=10)
    host = FakeHost("credit", capped)
    host.run(65 * MS)
    assert capped.mine.parked
    host.set(capped, cap=0)
    before = capped.ran
    host.run(85 * MS)
    assert capped.ran - before >= 14 * MS  # from the next tick on


def test_a_domain_is_parked_in_the_middle_of_its_slice():
    capped = Fake("capped", cap=10)
    host = FakeHost("credit")
    host.add(capped, start=15 * MS)
    host.run(50 * MS)
    assert capped.ran == pytest.approx(15 * MS, abs=10)


def latencies(io, **options):
    host = FakeHost("credit", io, *(Fake(f"busy{n}") for n in range(5)), **options)
    host.run(4_000 * MS)
    return io.latencies


def test_who_wakes_with_credits_left_is_boosted():
    """It waits for no more than the rate limit."""
    told = latencies(Fake("io").periodic(MS // 5, 7 * MS))
    assert max(told) <= MS + 8
    told = latencies(Fake("io").periodic(MS // 5, 7 * MS), ratelimit_us=0)
    assert max(told) <= 3  # an instruction
    # Also if it waits while the account is made.
    assert max(latencies(Fake("io").periodic(20, 9 * MS // 10))) <= MS + 8
    # One that wants more than its share is not, in the long run.
    assert max(latencies(Fake("io").periodic(40 * MS, 70 * MS))) > SLICE


def test_the_rate_limit_lets_a_domain_run_for_a_while():
    io, busy = Fake("io").periodic(20, MS // 2), Fake("busy")
    host, began = FakeHost("credit", io, busy, ratelimit_us=2_000), []

    def look():
        if host.running[0] is busy and (not began or began[-1] != busy.mine.since):
            began.append(busy.mine.since)

    host.looks.append(look)
    host.run(200 * MS)
    assert len(began) > 50
    lasted = [b - a for a, b in pairwise(began)]
    assert max(lasted) < 3 * MS
    for since, lasts in zip(began[1:], lasted):
        assert lasts >= 2 * MS or since % TICK < MS // 10  # priorities are others from a tick on


def test_the_rate_limit_begins_when_a_domain_gets_the_hart_not_with_each_slice():
    io = Fake("io")
    io.wants = lambda now: (10**18, 1)
    io.rests = lambda now: 30 * MS + MS // 10  # the other one's second slice has just begun
    FakeHost("credit", io, Fake("busy")).run(31 * MS)
    assert io.latencies[0] <= 3


def test_who_is_preempted_has_the_rest_of_its_slice_first():
    io, crowd = Fake("io").periodic(MS // 5, 7 * MS), [Fake("one"), Fake("other")]
    host, order = FakeHost("credit", io, *crowd), []

    def look():
        if host.running[0] in crowd and (not order or host.running[0] is not order[-1]):
            order.append(host.running[0])

    host.looks.append(look)
    host.run(3_000 * MS)
    assert 95 <= len(order) <= 160  # slices of 30 ms, and some turns that an account ends


def test_a_boost_ends_at_the_next_tick():
    io = Fake("io")
    io.wants = lambda now: (10**18, 25 * MS)
    io.rests = lambda now: now + 95 * MS
    host, seen = FakeHost("credit", io, Fake("busy")), set()

    def look():
        if host.running[0] is io and io.mine.priority is Priority.BOOST:
            seen.add((host.now - 3) // TICK - io.mine.since // TICK)

    host.looks.append(look)
    host.run(2_000 * MS)
    assert seen == {0}


@pytest.mark.parametrize(("accounting", "least", "most"), [
    ("sampled", 0.9, 1.0), ("exact", 0.4, 0.52),
])  # fmt: skip
def test_who_sleeps_at_each_tick_robs_the_sampled_account_only(accounting, least, most):
    thief, victim = Fake("thief").thief(TICK, MS // 10), Fake("victim")
    host = FakeHost("credit", thief, victim, accounting=accounting)
    host.run(5_000 * MS)
    assert least < thief.ran / host.now < most
    assert (thief.mine.credit == 0) == (accounting == "sampled")


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="accounting is exact or sampled, not 'rough'"):
        FakeHost("credit", accounting="rough")
    with pytest.raises(ValueError, match="ratelimit_us is a whole number from 0 on, not -1"):
        FakeHost("credit", ratelimit_us=-1)
    with pytest.raises(ValueError, match="domain 'd': there is no option 'warp_us'"):
        FakeHost("credit", Fake("d", warp_us=1))
