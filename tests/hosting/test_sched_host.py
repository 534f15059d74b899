"""Policies on a real host, with small kernels that are always busy, or sleep at times."""

from functools import cache

import pytest

import asm
from vmm.hosting.host import Host

MEM = 1 << 20
BUSY = "_start: j _start\n"
# It sleeps until `PERIOD` of the timer has passed, and then counts down for a while.
PROBE = """
_start: la      t0, trap
        csrw    stvec, t0
        li      s0, 32
        csrs    sie, s0
        csrsi   sstatus, 2
next:   rdtime  s1
        li      s2, {period}
        add     s1, s1, s2
        csrw    stimecmph, zero
        csrw    stimecmp, s1
        wfi
        li      s2, {burst}
1:      addi    s2, s2, -1
        bnez    s2, 1b
        j       next
        .align  2
trap:   li      s3, -1
        csrw    stimecmp, s3
        sret
"""


@cache
def image(source):
    return asm.assemble_text(source).elf()


def busy(host, name, **given):
    return host.domain(name, image(BUSY), mem=MEM, **given)


def shares(host):
    total = sum(domain.ran for domain in host.domains.values())
    return {name: domain.ran / total for name, domain in host.domains.items()}


@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_bvt_gives_shares_within_4_per_cent_of_the_weights(engine):
    host = Host(mem=32 << 20, scheduler="bvt", options={"mcu_us": 2, "ctx_us": 100})
    for weight in (1, 2, 4, 8):
        busy(host, str(weight), weight=weight, engine=engine)
    host.run(until=host.ms(40))
    for name, share in shares(host).items():
        assert share == pytest.approx(int(name) / 15, rel=0.04)


@pytest.mark.parametrize(("scheduler", "options", "given"), [
    ("bvt", {}, {"options": {"warp_us": 5_000}}),
    ("credit", {}, {}),
])  # fmt: skip
def test_who_wakes_runs_at_once(scheduler, options, given):
    host = Host(mem=32 << 20, scheduler=scheduler, options=options)
    source = PROBE.format(period=10_000, burst=100)
    probe = host.domain("probe", image(source), mem=MEM, **given)
    for n in range(3):
        busy(host, f"busy{n}")
    host.run(until=host.ms(35))
    assert probe.sleeps > 10
    assert probe.latency.sum() > 10
    late = sum(probe.latency[host.ms(1).bit_length() + 1 :])
    assert late == 0


def test_credit_holds_caps_on_a_host_that_is_idle_otherwise():
    host = Host(mem=32 << 20, scheduler="credit")
    capped = busy(host, "capped", cap=25)
    host.run(until=host.ms(240))
    assert capped.ran == pytest.approx(host.ms(60), abs=host.ms(1))


@pytest.mark.parametrize(("scheduler", "options"), [("rr", {}), ("bvt", {"ctx_us": 1000})])
def test_pins_that_are_changed_hold_from_then_on(scheduler, options):
    host = Host(mem=32 << 20, harts=2, scheduler=scheduler, options=options)
    first, second = busy(host, "first"), busy(host, "second")
    host.run(until=host.ms(0.5))
    host.set(first, pins=[0])
    host.set(second, pins=[0])
    idle = host.seats[1].idle
    host.run(until=host.ms(2.5))
    if scheduler == "bvt":  # the turn of the other one is as short as if both had begun there
        assert {first.seat.number, second.seat.number} == {0}
    assert host.seats[1].idle - idle == pytest.approx(host.ms(2), rel=0.01)


def test_edf_gives_a_slice_in_each_period():
    host = Host(mem=32 << 20, scheduler="edf")
    promised = busy(host, "promised", options={"period_us": 1_000, "slice_us": 300, "extra": False})
    busy(host, "other")
    for period in range(1, 11):
        host.run(until=host.ms(period))
        assert promised.ran == pytest.approx(host.ms(0.3) * period, abs=host.ms(0.005))
    assert host.seats[0].idle == 0


def test_pinned_refuses_a_domain_too_many_and_nothing_of_it_is_left():
    host = Host(mem=32 << 20, harts=2, scheduler="pinned")
    first, second = busy(host, "first", pins=[1]), busy(host, "second")
    used = int((host.platform.frames["owner"] != 0).sum())
    with pytest.raises(ValueError, match="'third' has no hart of its own: hart 0 belongs to 'sec"):
        busy(host, "third")
    assert "third" not in host.domains
    assert int((host.platform.frames["owner"] != 0).sum()) == used
    with pytest.raises(ValueError, match="hart 0 belongs to 'second'"):
        host.set(first, pins=[0])
    assert first.pins == {1}
    host.run(until=host.ms(1))
    assert first.ran + second.ran == pytest.approx(host.ms(2), rel=0.01)
    host.kill(second, host.now)
    busy(host, "third")
    host.run(until=host.ms(2))
    assert host.domains["third"].seat is host.seats[0]
