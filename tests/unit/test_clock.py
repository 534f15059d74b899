"""The clock of a domain: what the guest sees of time is the host's, less an offset."""

import pytest

import guests
from asm import assemble_text
from tests.guests.build import assembled
from toyisa.core.state import LAST_TIMER
from toyisa.look import inspect
from toyisa.machine import Exit, Machine
from toyisa.tables.causes import Irq
from toyisa.testing import Modelled
from vmm import engines
from vmm.machine import VirtualMachine

LATER = (5 << 32) + 7_654_321  # units of virtual time that the host has behind it
COUNTERS = """
    .globl _start
_start:
    rdtime  s0
    rdtimeh s1
    rdcycle s2
    rdcycleh s3
    la      t0, handler
    csrw    stvec, t0
    li      t0, 7
    csrw    scounteren, t0
    la      t0, user
    csrw    sepc, t0
    sret
user:
    rdtime  s4
    rdtimeh s5
    rdcycle s6
    rdcycleh s7
    ebreak
    .align  2
handler:
    li      t0, 0x5555
    li      t1, 0x100000
    sw      t0, 0(t1)
"""
S0, S1, S2, S4 = 8, 9, 18, 20
READ = (8, 9, *range(18, 24))  # s0 to s7


def machine(engine, clock, offset):
    """A machine whose host has run for so long, and whose domain begins now."""
    bare = engine == "native"
    made = Machine(clock=clock) if bare else VirtualMachine(engine=engine, clock=clock)
    made.hart.clock.idle = made.hart.clock.offset = offset
    return made


def test_the_counters_are_behind_and_inspection_knows_it():
    bare = machine("native", "icount", 0)
    bare.load(assemble_text(COUNTERS).elf())
    per_tick = int(bare.hart.clock.per_tick)
    bare.hart.clock.idle, bare.hart.clock.offset = 5 << 32, (5 << 32) - 700
    assert inspect.csr(bare, "cycle") == inspect.csr(bare, "instret") == 700
    assert inspect.csr(bare, "cycleh") == 0
    assert inspect.csr(bare, "time") == 700 // per_tick
    assert bare.run() is Exit.HALTED
    assert bare.hart.x[S0] == 700 // per_tick
    assert bare.hart.x[S1] == 0
    assert bare.hart.x[S2] == 702


def read(engine, clock, offset):
    """What the counters say at the start, in S and in U."""
    made = machine(engine, clock, offset)
    made.load(assemble_text(COUNTERS).elf())
    assert made.run() is Exit.HALTED
    return [int(made.hart.x[n]) for n in READ]


@pytest.mark.parametrize("clock", ["cycles", "icount"])
@pytest.mark.parametrize("engine", ["native", "trap", "bt"])
def test_the_counters_begin_at_0_in_s_and_u(engine, clock):
    seen = read(engine, clock, LATER)
    assert seen == read(engine, clock, 0)
    assert seen[1] == seen[3] == seen[5] == seen[7] == 0
    assert 0 < seen[2] < seen[6]


@pytest.mark.parametrize("offset", [-900, 900])
def test_the_timer_is_compared_with_the_domains_time(offset):
    bare = machine("native", "icount", 0)
    clock, csr = bare.hart.clock, bare.hart.csr
    per_tick = int(clock.per_tick)
    clock.idle, clock.offset = 1000 * per_tick, offset * per_tick
    csr.stimecmp, csr.stimecmph = 1000 - offset, 0
    assert inspect.csr(bare, "sip") == 1 << 5
    csr.stimecmp = 1000 - offset + 1
    assert inspect.csr(bare, "sip") == 0
    csr.stimecmp = csr.stimecmph = 0xFFFF_FFFF
    assert inspect.csr(bare, "sip") == 0


@pytest.mark.parametrize(("past", "how"), [(0, Exit.BUDGET), (1, Exit.IDLE)])
def test_a_timer_after_the_end_of_time_never_fires(past, how):
    """A machine that waited for it could not be saved."""
    made = Machine(clock="icount")
    made.load(assemble_text(".globl _start\n_start: wfi\n j _start\n").elf())
    clock, csr = made.hart.clock, made.hart.csr
    ticks = 1 << 40
    clock.idle = clock.offset = LAST_TIMER - ticks * int(clock.per_tick) + past
    csr.sie, csr.stimecmp, csr.stimecmph = 1 << Irq.TIMER, 0, ticks >> 32
    assert Modelled(made).step().idle == (how is Exit.IDLE)
    assert made.run(1) is how


def ended(engine, clock, offset):
    """What a kernel that lives by its timer leaves behind, and what it has cost."""
    made = machine(engine, clock, offset)
    build = "" if engine == "native" else engines.find(engine).build
    made.load(assembled(guests.catalogue()["ticks"], defines=guests.BUILDS[build]).elf())
    assert made.run() is Exit.HALTED
    assert made.code == 0
    own = made.hart.clock
    return {
        "console": made.output(), "digest": made.guest_digest(), "trail": int(made.hart.trail),
        "instret": int(own.instret), "cycles": int(own.cycles), "idle": int(own.idle) - offset,
        "traps": made.traps_by_cause(),
        "exits": {} if engine == "native" else made.exits(),
    }  # fmt: skip


@pytest.mark.compiled
@pytest.mark.parametrize("clock", ["cycles", "icount"])
@pytest.mark.parametrize("engine", ["native", "trap", "bt", "pv"])
def test_a_domain_that_begins_later_runs_as_one_that_began_with_its_host(engine, clock):
    assert ended(engine, clock, LATER) == ended(engine, clock, 0)


TIMED = """
    .globl _start
_start:
    li      t0, 40
    csrw    stimecmp, t0
    csrw    stimecmph, x0
    li      t0, 1 << 5
    csrw    sie, t0
    csrr    s0, sip
    wfi
    csrr    s1, sip
    rdtime  s2
    rdcycle s3
    rdinstret s4
"""


def test_the_model_has_the_same_clock():
    bare = machine("native", "icount", LATER)
    bare.load(assemble_text(TIMED).elf())
    model = Modelled(bare)
    for _ in range(11):
        bare.run(1)
        model.step()
        assert bare.hart.x[:32].tolist() == model.hart.x
    assert (model.hart.x[S0], model.hart.x[S1], model.hart.x[S2]) == (0, 1 << 5, 40)


def test_a_restored_machine_has_the_same_clock(tmp_path):
    late = machine("native", "cycles", LATER)
    late.load(assemble_text(COUNTERS).elf())
    late.save(tmp_path / "s")
    again = Machine.restore(tmp_path / "s")
    assert again.hart.clock.offset == LATER
    assert again.digest() == late.digest()
    late.hart.clock.offset -= 1  # the digest is of what the guest will see, so of this too
    assert again.digest() != late.digest()
