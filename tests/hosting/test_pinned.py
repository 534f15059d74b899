"""Harts of one's own: who has which, and who is refused."""

import pytest

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm import sched


def test_a_hart_of_ones_own_is_never_anothers():
    first, second, third = Fake("first"), Fake("second", pins=[2]), Fake("third")
    first.periodic(MS, 10 * MS)
    host = FakeHost("pinned", first, second, third, harts=3)
    host.run(100 * MS)
    assert [first.harts, second.harts, third.harts] == [{0}, {2}, {1}]
    assert second.ran == host.times[2]
    assert third.ran == host.times[1]
    assert set(first.latencies) <= {0, 1, 2}
    assert host.idle[0] == host.times[0] - first.ran


def test_a_domain_without_a_hart_is_refused():
    host = FakeHost("pinned", Fake("first"), harts=2)
    with pytest.raises(ValueError, match="has no hart of its own: hart 0 belongs to 'first';"):
        host.add(Fake("second", pins=[0]))
    with pytest.raises(ValueError, match="domain 'third': there is no option 'warp_us'"):
        host.add(Fake("third", warp_us=1))
    fourth = host.add(Fake("fourth"))
    with pytest.raises(ValueError, match="to 'first', hart 1 belongs to 'fourth'; give the host"):
        host.add(Fake("fifth"))
    host.stop(fourth)
    assert host.add(Fake("sixth")).mine == 1


def test_a_domain_that_waits_may_go_to_another_hart_too():
    policy, domain = sched.make("pinned", 2, 10), Fake("domain")
    policy.changed(domain, 0)
    policy.ready(domain, 0, False)
    domain.pins = frozenset([1])
    policy.changed(domain, 0)
    assert policy.pick(0, 0) is None
    assert policy.pick(1, 0).domain is domain


def test_a_domain_may_go_to_another_free_hart():
    host = FakeHost("pinned", Fake("first"), harts=2)
    first = host.domains[0]
    host.run(MS)
    host.set(first, pins=frozenset([1]))
    host.run(2 * MS)
    assert first.harts == {0, 1}
    assert first.mine == 1
    assert host.add(Fake("second")).mine == 0
