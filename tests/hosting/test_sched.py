"""What every policy does: it uses each hart, lets nobody starve, and respects pins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm import sched
from vmm.sched.earning import Priority

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


@pytest.mark.parametrize(("policy", "options"), [
    ("bvt", [{}, {}, {"warp_us": 50_000}]),
    ("credit", [{}, {}, {}]),
    ("edf", [{"period_us": period, "slice_us": 100} for period in (5_000, 9_000, 500)]),
])  # fmt: skip
def test_it_is_the_one_that_matters_least_who_makes_room(policy, options):
    """Two run, and the one that wakes is more urgent than both."""
    made = sched.make(policy, 2, 10)
    made.at = lambda time, act: None
    early, late, woken = (Fake(str(n), **given) for n, given in enumerate(options))
    for domain in (early, late, woken):
        made.changed(domain, 0)
    for hart, domain in enumerate((early, late)):
        made.ready(domain, 0, False)
        assert made.pick(hart, 0).domain is domain
    made.ran(early, 20_000, 20_000)
    made.ran(late, 40_000, 40_000)
    if policy == "credit":
        late.mine.priority = Priority.OVER
    made.ready(woken, 40_000, True)
    assert not made.preempts(woken, early, 40_000)
    assert made.preempts(woken, late, 40_000)
    woken.pins = frozenset([0])
    assert made.preempts(woken, early, 40_000)


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
