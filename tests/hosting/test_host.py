"""Many guests on one machine: each one runs as if it were alone, and nothing is lost."""

import gc

import numpy as np
import pytest

import guests
from tests.guests.build import assembled
from toyisa.core.memory import RAM_BASE
from toyisa.core.sv32 import V
from toyisa.load.image import ImageError
from vmm import engines
from vmm.hosting.domain import State
from vmm.hosting.host import Host
from vmm.machine import VirtualMachine
from vmm.paging.direct.frames import owned

MEM = 16 << 20
ENGINES = ("trap", "bt", "pv")
NAMES = ("pages", "toyix")


def kernel(name, engine):
    build = guests.BUILDS[engines.find(engine).build]
    return assembled(guests.catalogue()[name], defines=build).elf()


def full(harts=1, slice_us=50, clock="cycles", each=2, names=("toyix",), cost="modern"):
    """A host with some domains of each engine."""
    host = Host(mem=256 << 20, harts=harts, cost=cost, options={"slice_us": slice_us})
    for name in names:
        for engine in ENGINES:
            for n in range(each):
                host.domain(
                    f"{name}-{engine}-{n}", kernel(name, engine), engine=engine, mem=MEM,
                    clock=clock, input=typed(name),
                )  # fmt: skip
    return host


def typed(name):
    """What is typed into a guest of the catalogue."""
    file = guests.catalogue()[name].input
    return file.read_bytes() if file else b""


def seen(made):
    """What a guest may depend on, with time of its own."""
    clock = made.hart.clock
    return {
        "code": made.code, "console": made.output(),
        # Tables of `pv` hold the machine's frames.
        "digest": made.vm.direct.active or made.guest_digest(),
        "instret": int(clock.instret), "idle": int(clock.idle), "trail": int(made.hart.trail),
        "traps": made.traps_by_cause(),
    }  # fmt: skip


def alone(name, engine, cost="modern"):
    made = VirtualMachine(engine=engine, mem=MEM, clock="icount", cost=cost)
    made.load(kernel(name, engine))
    made.feed(typed(name))
    made.end_input()
    made.run()
    return seen(made)


@pytest.mark.parametrize(("harts", "slice_us", "cost"), [
    (1, 20, "modern"), (1, 50, "p4"), (2, 5, "modern"), (3, 5, "p4"),
])  # fmt: skip
def test_with_time_of_its_own_a_domain_runs_in_company_as_alone(harts, slice_us, cost):
    host = full(harts, slice_us, clock="icount", each=1, names=NAMES, cost=cost)
    assert host.run() == "over"
    wanted = {(n, e): alone(n, e, cost) for n in NAMES for e in ENGINES}
    for name, domain in host.domains.items():
        kernel_name, engine, _ = name.split("-")
        assert domain.state is State.ENDED, domain.reason
        assert seen(domain) == wanted[kernel_name, engine], name
    assert sum(domain.switches for domain in host.domains.values()) > 6


def told(host):
    return [
        (d.name, d.state, d.ran, d.stolen, d.switches, d.moves, d.sleeps, d.digest())
        for d in host.domains.values()
    ] + [(seat.busy, seat.idle) for seat in host.seats]


@pytest.mark.parametrize("harts", [1, 2])
def test_the_same_host_does_the_same_again(harts):
    first, second = full(harts), full(harts)
    first.run(until=first.ms(20))
    for ms in (1, 2, 5, 11, 20):
        second.run(until=second.ms(ms), seconds=60)
    assert told(first) == told(second)


@pytest.mark.parametrize("harts", [1, 2])
def test_every_cycle_belongs_to_a_domain_or_to_root_or_is_idle(harts):
    host = full(harts)
    host.run(until=host.ms(20))
    spent = sum(domain.ran for domain in host.domains.values())
    busy = sum(seat.busy for seat in host.seats)
    assert spent + host.root_cycles == busy
    assert host.root_cycles > 0
    for seat in host.seats:
        assert seat.time == seat.busy + seat.idle >= host.ms(20)
    for domain in host.domains.values():
        assert domain.ran > 0
        if domain.state is State.ENDED:
            assert 0 <= domain.stolen <= domain.ended_at - domain.began - domain.ran


def test_nothing_is_left_of_domains_that_are_removed():
    host = Host(mem=8 << 20)
    image = kernel("pages", "trap")
    free = int((host.platform.frames["owner"] == 0).sum())
    for n in range(40):
        made = host.domain("again", image, engine=ENGINES[n % 2], mem=1 << 20)
        host.run(until=host.now + host.ms(1))
        if not made.over:
            host.kill(made, host.now)
        host.remove(made)
        assert int((host.platform.frames["owner"] == 0).sum()) == free
    assert not host.platform.ram.any()
    assert (host.platform.frames["gfn"] == -1).all()
    gc.collect()


def test_what_does_not_fit_is_refused_and_leaves_nothing():
    host = Host(mem=8 << 20)
    with pytest.raises(ValueError, match="frames in one piece; 2048 are free"):
        host.domain("large", kernel("pages", "trap"), mem=64 << 20)
    assert not host.domains
    assert not host.platform.frames["owner"].any()
    host.domain("small", kernel("pages", "trap"), mem=1 << 20)
    with pytest.raises(ValueError, match="there is a domain 'small' already"):
        host.domain("small", kernel("pages", "trap"), mem=1 << 20)
    assert host.run() == "over"


@pytest.mark.parametrize("engine", ["trap", "pv"])
def test_a_domain_owns_its_own_frames_only(engine):
    host = Host(mem=64 << 20)
    made = [host.domain(name, kernel("pages", engine), engine=engine, mem=MEM) for name in "abc"]
    host.run(until=host.ms(1))
    known = host.platform.frames
    for domain in made:
        mine = [mfn for mfn in range(-1, len(known) + 1) if owned(domain.vm, mfn)]
        assert mine == sorted(domain.pages["mfn"].tolist())
        if engine == "pv":
            ptes = (RAM_BASE >> 2 | mfn << 10 | V for mfn in range(len(known)))
            shown = [domain.entry_seen(pte) & V for pte in ptes]
            assert np.flatnonzero(shown).tolist() == mine


def test_what_cannot_be_made_leaves_no_frame():
    host = Host(mem=64 << 20)
    with pytest.raises(ImageError, match="no symbol toyvmm_pv_abi"):
        host.domain("unpatched", kernel("pages", "trap"), engine="pv", mem=MEM)
    assert not host.platform.frames["owner"].any()
    host.domain("good", kernel("pages", "trap"), mem=MEM)
    assert host.run() == "over"


@pytest.mark.parametrize("clock", ["cycles", "icount"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_domain_that_is_alone_costs_what_a_virtual_machine_costs(engine, clock):
    """To the cycle: with nobody else there are no turns."""
    made = VirtualMachine(engine=engine, mem=MEM, clock=clock)
    made.load(kernel("toyix", engine))
    made.feed(typed("toyix"))
    made.end_input()
    made.run()
    host = Host(mem=64 << 20, options={"slice_us": 1_000_000})
    domain = host.domain(
        "a", kernel("toyix", engine), engine=engine, mem=MEM, clock=clock, input=typed("toyix")
    )
    assert host.run() == "over"
    assert seen(domain) == seen(made)
    assert domain.exits() == made.exits()
    assert (domain.hart.clock.cycles, domain.cycles) == (made.hart.clock.cycles, made.cycles)
    assert host.root_cycles == 0
    assert domain.ran == int(made.hart.clock.cycles)
