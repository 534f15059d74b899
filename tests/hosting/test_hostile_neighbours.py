"""Domains that crash, storm, are killed and made again: others keep their part, nothing leaks."""

import gc
import weakref

import pytest

from asm import assemble_text
from vmm.hosting.domain import State
from vmm.hosting.host import Host

MEM = 1 << 20
START = ".globl _start\n_start:\n"
ENGINES = ("trap", "bt")
# Its handler is where nothing is: it traps for ever.
STUCK = START + "li t0, 0x40000000\n csrw stvec, t0\n unimp\n"
FAULTS = START + """
    la      t0, handler
    csrw    stvec, t0
1:  lw      t1, 0(zero)
    j       1b
    .align  2
handler:
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    sret
"""
CALLS = START + "1: li a7, 0x10\n li a6, 0\n ecall\n j 1b\n"
PRINTS = START + "1: li a7, 1\n li a0, 'x'\n ecall\n j 1b\n"
COUNTS = START + "1: addi s0, s0, 1\n j 1b\n"
SLEEPS = START + "csrw sie, zero\n1: wfi\n j 1b\n"
LATER = START + """
    li      t0, 1 << 5
    csrw    sie, t0
    li      t0, 0xfffff                 # a tenth of a second
    csrw    stimecmp, t0
    csrw    stimecmph, zero
    wfi
1:  j       1b
"""
ENDS = START + "li t0, 0x5555\n li t1, 0x100000\n sw t0, 0(t1)\n1: j 1b\n"
BAD = {"stuck": STUCK, "faults": FAULTS, "calls": CALLS, "prints": PRINTS, "sleeps": SLEEPS}


def elf(text):
    return assemble_text(text).elf()


@pytest.mark.parametrize("scheduler", ["rr", "bvt", "credit"])
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_bad_neighbour_costs_no_more_than_its_part(name, engine, scheduler):
    options = {"slice_us": 100} if scheduler == "rr" else {}
    host = Host(mem=32 << 20, scheduler=scheduler, options=options)
    good = host.domain("good", elf(COUNTS), engine=engine, mem=MEM)
    bad = host.domain("bad", elf(BAD[name]), engine=engine, mem=MEM)
    span = host.ms(100)
    host.run(until=span)
    assert good.ran >= 0.48 * span
    if name == "stuck":
        assert bad.state is State.CRASHED
        assert "for ever" in bad.reason
        assert good.ran >= 0.95 * span
    if name == "sleeps":
        assert bad.state is State.ASLEEP
        assert good.ran >= 0.95 * span


def test_a_domain_can_be_killed_paused_and_begun_in_any_state():
    host = Host(mem=32 << 20, options={"slice_us": 20})
    made = {
        name: host.domain(name, elf(text), mem=MEM)
        for name, text in {"counts": COUNTS, "later": LATER, "sleeps": SLEEPS, "ends": ENDS}.items()
    }
    new = host.domain("new", elf(COUNTS), mem=MEM, start=None)
    host.run(until=host.ms(1))
    assert made["later"].state is made["sleeps"].state is State.ASLEEP
    assert made["ends"].state is State.ENDED
    for domain in made.values():
        host.pause(domain, host.now)
        host.pause(domain, host.now)
    ran = {name: domain.ran for name, domain in made.items()}
    host.run(until=host.ms(200))
    assert {name: domain.ran for name, domain in made.items()} == ran
    for domain in (*made.values(), new):
        host.begin(domain, host.now)
    host.run(until=host.ms(210))
    assert made["later"].state in (State.READY, State.RUNNING)  # the timer was due long ago
    assert made["counts"].ran > ran["counts"]
    assert made["ends"].state is State.ENDED
    for domain in (*made.values(), new):
        host.kill(domain, host.now)
        host.begin(domain, host.now)
    assert host.run() == "over"
    for domain in (*made.values(), new):
        host.remove(domain)
    assert host.platform.allocator.free == len(host.platform.frames)


def test_a_domain_that_still_runs_is_not_removed():
    host = Host(mem=16 << 20)
    made = host.domain("a", elf(COUNTS), mem=MEM)
    with pytest.raises(ValueError, match="'a' still runs: kill it first"):
        host.remove(made)


def test_two_hundred_starts_and_ends_leave_nothing():
    host = Host(mem=16 << 20)
    kept = host.domain("kept", elf(COUNTS), mem=MEM)
    images, free, gone = [elf(ENDS), elf(LATER), elf(STUCK)], host.platform.allocator.free, []
    for n in range(200):
        made = host.domain("again", images[n % 3], engine=ENGINES[n // 3 % 2], mem=MEM)
        host.run(until=host.now + host.ms(0.2))
        host.kill(made, host.now)
        host.remove(made)
        gone.append(weakref.ref(made))
        del made
    gc.collect()
    assert not [ref for ref in gone if ref() is not None]
    assert host.platform.allocator.free == free
    assert len(host.agenda) == 0
    assert set(host.domains) == {"kept"}
    assert kept.ran > 0
