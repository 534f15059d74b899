"""What every policy does: it uses each hart, lets nobody starve, and respects pins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm import sched

POLICIES = [
    ("rr", {}), ("bvt", {}), ("credit", {}), ("credit", {"accounting": "sampled"}), ("edf", {}),
]  # fmt: skip
HARTS = 3


@st.composite
def domains(draw):
    """A domain that is always busy, or sleeps at times."""
    made = Fake(
        "d", weight=draw(st.integers(1, 8)) * 128,
        pins=draw(st.sets(st.integers(0, HARTS - 1), max_size=2)),
    )  # fmt: skip
    period = draw(st.sampled_from([0, 3, 10, 30]))
    return made.periodic(draw(st.integers(1, period * MS)), period * MS) if period else made


ACTS = st.tuples(
    st.integers(1, 60), st.sampled_from(["add", "stop", "weight", "pins"]), st.integers(0, 7)
)


@pytest.mark.parametrize(("policy", "options"), POLICIES)
@settings(max_examples=25, deadline=None)
@given(
    first=st.lists(domains(), min_size=1, max_size=6), later=st.lists(domains(), max_size=3),
    acts=st.lists(ACTS, max_size=6),
)  # fmt: skip
def test_no_hart_idles_while_a_domain_could_run_there(policy, options, first, later, acts):
    """The fake host looks each time that it asks a policy."""
    host = FakeHost(policy, *first, harts=HARTS, **options)
    host.conserves, now = True, 0
    for after, act, value in acts:
        now += after * MS
        host.run(now)
        alive = [domain for domain in host.domains if domain.state != "over"]
        if act == "add":
            if later:
                host.add(later.pop(), start=now)
        elif alive:
            domain = alive[value % len(alive)]
            if act == "stop":
                host.stop(domain)
            elif act == "weight":
                host.set(domain, weight=(value + 1) * 100)
            else:
                host.set(domain, pins=frozenset({value} & set(range(HARTS))))
    host.run(now + 1_000 * MS)
    for domain in host.domains:
        assert domain.ran or domain.state == "over"
        if domain.state != "asleep":
            assert host.now - domain.since < 2_000 * MS
        assert domain.waited < 1_000 * MS


@pytest.mark.parametrize(("policy", "options"), POLICIES)
def test_a_host_ends_when_nobody_will_run_again(policy, options):
    """A policy leaves no event behind for ever."""
    brief = Fake("brief")
    brief.wants = lambda now: (10**18, 50 * MS)
    host = FakeHost(policy, brief, **options)
    host.run(2_000 * MS)
    assert brief.state == "asleep"
    assert not host.agenda._events


@pytest.mark.parametrize("policy", ["bvt", "credit", "edf"])
def test_it_is_the_one_that_matters_least_who_makes_room(policy):
    """Who wakes takes the hart of a domain that has had more, and not of one that has had less."""
    kinds = {"bvt": {"warp_us": 50_000}, "credit": {}, "edf": {"period_us": 9_000, "slice_us": 900}}
    first = Fake("first", **kinds[policy]).periodic(MS // 2, 9 * MS)
    second = Fake("second", **kinds[policy]).periodic(MS // 2, 9 * MS)
    host = FakeHost(policy, first, second, *(Fake(f"busy{n}") for n in range(3)), harts=2)
    host.run(500 * MS)
    assert max(first.latencies + second.latencies) <= 1.1 * MS


def test_an_unknown_policy_or_option_is_told():
    with pytest.raises(ValueError, match="there are rr, bvt, credit, edf, pinned"):
        sched.make("fair", 1, 10)
    with pytest.raises(ValueError, match="scheduler rr: slice_us is a whole number from 1 on"):
        sched.make("rr", 1, 10, slice_us="long")
    with pytest.raises(ValueError, match="no option 'warp_us'; this scheduler has none"):
        FakeHost("rr", Fake("d", warp_us=1))
    for policy, _ in POLICIES:
        with pytest.raises(ValueError, match=f"the scheduler {policy!r} has no option speed"):
            sched.make(policy, 1, 10, speed=2)
