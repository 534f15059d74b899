"""`wfi` as an exit: while its guest waits a host has the hart, and can let others run."""

import pytest

import guests
from asm import assemble_text
from tests.guests.build import assembled
from tests.smallkernels import kernel
from toyisa.core.state import NEVER
from toyisa.machine import Exit
from vmm.machine import new_machine

ENGINES = ["native", "trap", "bt", "pv"]
UNMODIFIED = ENGINES[:3]
each_clock = pytest.mark.parametrize("clock", ["cycles", "icount"])

# Timers in wfi and in the firmware's suspend, with SIE off and on, some due already where
# the monitor takes its time.
WAITS = """
    li      s0, 0                       # what the handler counts
    li      s1, 0                       # a digest of when the guest went on, and where
    li      s2, 6
    li      t0, 1 << 5
    csrw    sie, t0
1:  rdtime  t0
    slli    t1, s2, 12                  # long: no interrupt comes before the wfi
    add     t0, t0, t1
    csrw    stimecmp, t0
    csrw    stimecmph, x0
    andi    t0, s2, 1
    beqz    t0, 2f
    csrsi   sstatus, 2
2:  wfi
    csrci   sstatus, 2
    rdcycle t0
    add     s1, s1, t0
    rdtime  t0
    addi    t0, t0, 50
    csrw    stimecmp, t0
    csrw    stimecmph, x0               # the handler has put it off
    wfi
    rdtime  t0
    addi    t0, t0, 100
    csrw    stimecmp, t0
    li      a7, 0x48534D                # HSM
    li      a6, 3                       # suspend
    li      a0, 0
    ecall
    rdcycle t0
    xor     s1, s1, t0
    addi    s2, s2, -1
    bnez    s2, 1b
"""


def small(made):
    kernel(WAITS)(made)


def toyix(made):
    guest = guests.catalogue()["toyix"]
    build = made.engine.build if made.virtual else ""
    made.load(assembled(guest, defines=guests.BUILDS[build]).elf())
    made.feed(guest.input.read_bytes())
    made.end_input()


def figures(made):
    clock = made.hart.clock
    return {
        "code": made.code, "console": made.output(), "digest": made.digest(),
        "trail": int(made.hart.trail), "traps": made.traps_by_cause(),
        "cycles": int(clock.cycles), "instret": int(clock.instret), "idle": int(clock.idle),
        "classes": made.cycles_by_class(), "exits": made.exits(),
        # How often the decode pool was looked through is the host's.
        "counters": {name: n for name, n in made.counters().items() if name != "settled"},
    }  # fmt: skip


def ended(prepare, engine, clock, budget=None):
    made = new_machine(engine, clock=clock)
    prepare(made)
    while made.run(budget) is Exit.BUDGET:
        pass
    assert made.how, made.reason
    return figures(made)


def hosted(prepare, engine, clock, budget=None):
    """The same by a host that lets time pass while the guest waits; and how often it did."""
    made = new_machine(engine, clock=clock)
    prepare(made)
    root, clock = made.hart.root, made.hart.clock
    root.waits, turns = 1, 0
    end = budget
    while (why := made.run(budget and end - made.instret)) in (Exit.WAITS, Exit.BUDGET):
        if why is Exit.BUDGET:
            end += budget
        else:
            now = int(clock.instret if clock.icount else clock.cycles) + int(clock.idle)
            assert now < root.wake < NEVER
            clock.idle += root.wake - now
            turns += 1
    assert made.how, made.reason
    return figures(made), turns


@each_clock
@pytest.mark.parametrize("budget", [None, 97])
@pytest.mark.parametrize("engine", UNMODIFIED)
def test_a_host_that_lets_time_pass_changes_nothing(engine, budget, clock):
    seen, turns = hosted(small, engine, clock, budget)
    assert seen == ended(small, engine, clock, budget)
    assert turns == 18 if clock == "icount" or engine == "native" else 6 <= turns < 18


@pytest.mark.compiled
@each_clock
@pytest.mark.parametrize("engine", ENGINES)
def test_nor_for_a_kernel_of_the_catalogue(engine, clock):
    seen, turns = hosted(toyix, engine, clock)
    assert seen == ended(toyix, engine, clock)
    assert turns > 100


BEHIND = """
    la      t0, handler
    csrw    stvec, t0
    li      t0, 1 << 9 | 1 << 5 | 1 << 1
    csrw    sie, t0
    csrsi   sstatus, 2
1:  wfi
2:  j       2b
    .align  2
handler:
    csrr    s0, scause
    csrr    s1, sepc
    la      s2, 2b
"""


@pytest.mark.parametrize("engine", UNMODIFIED)
def test_what_no_timer_wakes_waits_for_an_interrupt_and_takes_it_behind(engine):
    made = new_machine(engine, clock="icount", mem=1 << 20)
    made.load(assemble_text(f".globl _start\n_start:{BEHIND}\n3: j 3b\n").elf())
    made.end_input()
    made.hart.root.waits = 1
    assert made.run(1000) is Exit.WAITS
    assert made.hart.root.wake == NEVER
    before = made.instret, made.digest(), made.exits()
    assert made.run(1000) is Exit.WAITS  # nobody has done anything
    assert (made.instret, made.digest(), made.exits()) == before
    made.hart.csr.sip |= 1 << 1  # as another guest's call would
    assert made.run(1000) is Exit.BUDGET
    assert made.hart.root.pause == made.hart.root.wake == 0
    x = made.hart.x
    assert (x[8], x[9]) == (1 << 31 | 1, x[18])


@pytest.mark.parametrize("engine", UNMODIFIED)
def test_without_the_flag_nothing_of_it_is_seen(engine):
    made = new_machine(engine, clock="icount", mem=1 << 20)
    made.load(assemble_text(f".globl _start\n_start:{BEHIND}\n3: j 3b\n").elf())
    made.end_input()
    assert made.run(1000) is Exit.IDLE
    assert made.hart.root.pause == made.hart.root.wake == 0


def test_another_guest_does_not_wait(tmp_path):
    made = new_machine("native", clock="icount", mem=1 << 20)
    kernel = assemble_text(f".globl _start\n_start:{BEHIND}\n3: j 3b\n").elf()
    made.load(kernel)
    made.end_input()
    made.hart.root.waits = 1
    made.save(tmp_path / "before")
    assert made.run(1000) is Exit.WAITS
    made.load_snapshot(tmp_path / "before")
    assert made.hart.root.pause == made.hart.root.wake == 0
    assert made.run(1000) is Exit.WAITS
    made.load(kernel)
    assert made.hart.root.pause == made.hart.root.wake == 0
