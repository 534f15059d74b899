"""Credits: what domains earn by their weights, and what becomes of debts and of savings."""

import pytest

from tests.hosting.fakehost import MS, Fake, FakeHost
from vmm.sched.earning import Credit, Priority, earn

SLICE = 30 * MS


@pytest.mark.parametrize("step", [1, -1])
def test_what_a_capped_domain_leaves_is_the_others_by_weight(step):
    domains = [Fake("capped", weight=1024, cap=20), Fake("one"), Fake("three", weight=768)]
    host = FakeHost("credit", *domains[::step])
    host.run(10_000 * MS)
    got = [domain.ran / host.now for domain in domains]
    assert got == pytest.approx([0.2, 0.2, 0.6], abs=0.02)
    assert host.idle == [0]


def test_credits_grow_while_all_sleep_and_not_without_end():
    io = Fake("io")
    io.wants = lambda now: (10**18, 100 * MS)
    io.rests = lambda now: now + 100 * MS + 5_000 * MS
    host = FakeHost("credit", io)
    host.run(5_000 * MS)
    assert not host.policy.ticking
    assert host.agenda.next > host.now + 100 * MS  # it wakes only
    host.run(5_210 * MS)
    assert -SLICE <= io.mine.credit <= SLICE
    assert io.mine.priority is not Priority.OVER


def test_all_credits_are_earned_in_whatever_order_and_debts_have_an_end():
    capped, one, debtor = Fake("capped", weight=1024, cap=20), Fake("one"), Fake("debtor")
    for order in ([capped, one, debtor], [debtor, one, capped]):
        for domain in order:
            domain.mine = Credit(active=True)
        debtor.mine.credit = -10 * SLICE
        balance = earn(order, set(), 1, SLICE, 0)
        assert capped.mine.credit == SLICE // 5
        assert one.mine.credit == SLICE * 2 // 5
        assert debtor.mine.credit == -SLICE
        assert balance == SLICE // 5 + SLICE * 2 // 5 - SLICE


def test_who_owes_credits_when_all_sleep_has_paid_when_it_wakes():
    pair = [Fake("light", weight=64), Fake("heavy", weight=640)]
    for domain in pair:
        domain.wants = lambda now: (now + 301 * MS, 10**18)
        domain.rests = lambda now: 5_000 * MS
    host = FakeHost("credit", *pair)
    host.run(400 * MS)
    light = pair[0]
    assert light.mine.credit < 0
    assert light.mine.priority is Priority.OVER
    host.run(5_000 * MS + 10)
    assert light.mine.credit > 0
    assert light.mine.priority is not Priority.OVER


def test_who_is_alone_pays_what_it_owes():
    light, heavy = Fake("light", weight=64), Fake("heavy", weight=1024)
    host = FakeHost("credit", light, heavy)
    while not light.mine.credit < -SLICE // 2:
        host.run(host.now + MS)
    host.stop(heavy)
    host.run((host.now // SLICE + 2) * SLICE + 10)
    assert light.mine.credit >= -20
    assert light.mine.priority is Priority.UNDER


def test_who_sleeps_for_ever_takes_no_credits_from_others():
    sleeper, pair = Fake("sleeper", weight=65536), [Fake("one"), Fake("three", weight=768)]
    sleeper.wants = lambda now: (10**18, MS)
    host = FakeHost("credit", sleeper, *pair)
    host.run(10_000 * MS)
    assert pair[0].ran / host.now == pytest.approx(0.25, abs=0.02)
