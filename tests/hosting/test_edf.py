"""Earliest deadline first: slices, periods, and what nobody needs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm import sched

UTIL = 95  # per cent: instructions are not cut in two


def served(host, domain, period):
    """How much a domain has run at each end of a period; it wants to run always."""
    seen = []

    def look():
        while (len(seen) + 1) * period <= host.now:
            seen.append(domain.ran)

    host.looks.append(look)
    return seen


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(2, 40), st.integers(1, 100)), min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_who_has_a_slice_gets_it_in_each_period(asked, others):
    """If the sum is not more than the hart has, whatever best-effort domains do."""
    total = sum(part for _, part in asked)
    slices = [
        (period, max(period * 1000 * part * UTIL // total // 100, 1)) for period, part in asked
    ]
    domains = [
        Fake(str(n), period_us=period * 1000, slice_us=span, extra=False)
        for n, (period, span) in enumerate(slices)
    ]
    host = FakeHost("edf", *domains, *(Fake(f"busy{n}") for n in range(others)))
    seen = [served(host, domain, period * MS) for domain, (period, _) in zip(domains, slices)]
    host.run(400 * MS)
    slack = 100  # a few instructions, and a look
    for ran, (_, span) in zip(seen, slices):
        assert len(ran) >= 9
        for number, cycles in enumerate(ran, 1):
            assert number * (span * 10 - slack) <= cycles <= number * (span * 10 + slack)


def test_a_domain_that_sleeps_keeps_its_slice_until_the_period_ends():
    """It runs at once when it wakes, late in the period; and has no more than a slice."""
    server = Fake("server", period_us=10_000, slice_us=3_000, extra=False)
    server.wants = lambda now: (10**18, 2 * MS)
    server.rests = lambda now: now + 7 * MS
    host = FakeHost("edf", server, *(Fake(f"busy{n}") for n in range(3)))
    host.run(900 * MS)
    assert max(server.latencies) <= 3
    assert server.ran == pytest.approx(host.now * 2 / 9, rel=0.02)


def test_what_is_left_of_a_slice_is_lost_with_its_period():
    idle = Fake("idle", period_us=10_000, slice_us=5_000, extra=False)
    idle.wants = lambda now: (10**18, 1 if now < 500 * MS else 10**18)
    idle.rests = lambda now: 500 * MS
    host = FakeHost("edf", idle, Fake("busy"))
    host.run(600 * MS)
    assert idle.ran == pytest.approx(50 * MS, abs=MS)


@pytest.mark.parametrize("extra", [True, False])
def test_extra_turns_use_what_nobody_needs(extra):
    """And a domain that has had extra turns still gets its slice in time."""
    server = Fake("server", period_us=10_000, slice_us=4_000, extra=extra)
    host = FakeHost("edf", server)
    host.run(100 * MS)
    assert server.ran == pytest.approx(100 * MS if extra else 40 * MS, rel=0.01)
    assert host.idle[0] + server.ran == host.now
    busy = host.add(Fake("busy"), start=100 * MS)
    before = server.ran
    host.run(1_100 * MS)
    assert server.ran - before >= 399 * MS
    assert busy.ran == pytest.approx((500 if extra else 600) * MS, abs=10 * MS)
    assert host.idle[0] < 61 * MS


def test_a_slice_is_not_carried_into_the_next_period():
    """It wakes 1 ms before its period ends: it gets that, and one slice more."""
    late = Fake("late", period_us=10_000, slice_us=5_000, extra=False)
    late.wants = lambda now: (now, 1) if now < MS else (10**18, 10**18)
    late.rests = lambda now: 99 * MS
    host = FakeHost("edf", late, Fake("busy"))
    host.run(110 * MS)
    assert late.ran == pytest.approx(6 * MS, abs=20)


def test_the_first_period_begins_when_the_domain_does():
    late = Fake("late", period_us=10_000, slice_us=5_000, extra=False)
    host = FakeHost("edf", Fake("busy"))
    host.add(late, start=9 * MS)
    host.run(19 * MS)
    assert late.ran == pytest.approx(5 * MS, abs=20)


def test_a_slice_that_is_changed_counts_from_the_next_period_on():
    domain = Fake("domain", period_us=10_000, slice_us=5_000, extra=False)
    host = FakeHost("edf", domain, Fake("busy"))
    host.run(42 * MS)
    before = domain.ran
    host.set(domain, options={"period_us": 50_000, "slice_us": 1_000, "extra": False})
    host.run(50 * MS)
    assert domain.ran - before == pytest.approx(3 * MS, abs=20)
    host.run(150 * MS)
    assert domain.ran - before == pytest.approx(5 * MS, abs=20)


def test_a_domain_may_lose_its_slice():
    policy, domain = sched.make("edf", 1, 10), Fake("domain", period_us=10_000, slice_us=5_000)
    policy.changed(domain, 0)
    policy.ready(domain, 0, False)
    domain.options = {}
    policy.changed(domain, 0)
    assert policy.pick(0, 20 * MS) == (domain, 5 * MS)  # a turn of those without one


@pytest.mark.parametrize("free", [True, False])
def test_who_gets_a_new_slice_takes_a_hart_that_is_free(free):
    policy, asked = sched.make("edf", 2, 10), []
    policy.at = lambda time, act: asked.append((time, act))
    server = Fake("server", period_us=10_000, slice_us=2_000, extra=False)
    crowd = [Fake("one")] if free else [Fake("one"), Fake("other")]
    for domain in (server, *crowd):
        policy.changed(domain, 0)
        policy.ready(domain, 0, False)
    assert policy.pick(0, 0).domain is server
    policy.ran(server, 2 * MS, 2 * MS)
    policy.back(server, 2 * MS)
    for hart, domain in enumerate(crowd):
        assert policy.pick(hart, 2 * MS).domain is domain
    ((time, act),) = asked
    assert time == 10 * MS
    assert len(act(time)) == (0 if free else 1)


def test_the_earlier_deadline_takes_the_hart():
    long = Fake("long", period_us=100_000, slice_us=50_000)
    short = Fake("short", period_us=5_000, slice_us=1_000).periodic(MS // 2, 5 * MS)
    host = FakeHost("edf", long, short)
    host.run(500 * MS)
    assert max(short.latencies) <= 3
    assert long.ran == host.now - short.ran


def test_each_hart_has_the_earliest_deadlines_of_those_that_may_run_there():
    first = Fake("first", pins=[0], period_us=10_000, slice_us=9_000)
    second = Fake("second", pins=[1], period_us=20_000, slice_us=18_000)
    free = Fake("free", period_us=50_000, slice_us=4_000, extra=False)
    host = FakeHost("edf", free, first, second, Fake("busy"), harts=2)
    host.run(1_000 * MS)
    assert first.ran >= 899 * MS
    assert second.ran >= 899 * MS
    assert free.ran == pytest.approx(80 * MS, rel=0.02)
    assert (first.harts, second.harts) == ({0}, {1})


@pytest.mark.parametrize(("options", "said"), [
    ({"period_us": 10}, "slice_us is 1 to period_us, and both are given or neither"),
    ({"slice_us": 10}, "slice_us is 1 to period_us"),
    ({"period_us": 10, "slice_us": 11}, "slice_us is 1 to period_us"),
    ({"period": 10}, "domain 'd': there is no option 'period'; there are period_us, slice_us"),
    ({"period_us": 10, "slice_us": 1, "extra": 1}, "extra is true or false, not 1"),
    ({"extra": False}, "it would never run"),
])  # fmt: skip
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        FakeHost("edf", Fake("d", **options))
