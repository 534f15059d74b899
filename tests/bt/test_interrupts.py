"""Exactness: whatever stops translated code, the guest is between two instructions.

And its registers there are those that the bare machine has at that place.
"""

import pytest

from tests.bt.sequences import CLOCK, ROUND
from tests.bt.ways import bare, pair_of_ways, same, under_bt
from tests.smallkernels import RAM, kernel
from vmm.engines.bt.record import Count

SPIN = "\n9:  j 9b\n"
NO_HIGH = "    csrw stimecmph, zero\n"


def place(machine):
    """Where the guest is, and everything that it could see."""
    hart = machine.hart
    csr = tuple((name, int(hart.csr[name])) for name in hart.csr.dtype.names)
    return int(hart.pc), tuple(hart.x[:32].tolist()), csr


class Again:
    """A machine that is put back to its start; memory and translations stay."""

    def __init__(self, machine, prepare):
        self.machine = machine
        prepare(machine)
        hart = machine.hart
        self.start = hart.x.copy(), hart.csr.copy(), int(hart.pc)

    def from_start(self):
        hart = self.machine.hart
        hart.x[:], hart.csr, hart.pc = self.start
        hart.priv, hart.resv.addr = 1, -1
        return self.machine


def native_places(prepare, way, count=600):
    """The places of the bare machine in order, one for each instruction."""
    machine = bare(way, mem=RAM)
    prepare(machine)
    places = [place(machine)]
    for _ in range(count):
        machine.advance()
        places.append(place(machine))
    return places


@pair_of_ways
def test_a_stop_at_every_machine_instruction(way):
    """With the clock in cycles a budget is checked at every machine instruction; the guest goes
    on.
    """
    prepare = kernel("    li s0, 4\n" + ROUND + SPIN)
    places = set(native_places(prepare, way))
    again = Again(under_bt(way, mem=RAM, clock="cycles"), prepare)
    settled = again.machine.private[0].count
    in_sequences = 0
    for budget in range(1, 1700):  # cold at first, but soon everything is translated
        machine = again.from_start()
        before = int(settled[Count.SETTLED])
        machine.run(budget)
        assert place(machine) in places, f"after {budget} instructions"
        in_sequences += int(settled[Count.SETTLED]) > before
    assert in_sequences > 500


CALLS = """
    li      s0, 6
1:  jal     2f
    addi    s2, s2, 1
    jal     2f
    addi    s2, s2, 5
    addi    s0, s0, -1
    bnez    s0, 1b
    j       9f
2:  addi    s1, s1, 3
    slli    s1, s1, 1
    ret
"""


def test_a_return_address_that_changes_while_the_guest_is_stopped():
    """Code that was made for one call alone must not rely on it then."""
    prepare = kernel(CALLS + SPIN)
    again, native = (
        Again(made, prepare)
        for made in (under_bt("strict", mem=RAM, clock="cycles"), bare("strict", mem=RAM))
    )
    again.from_start().run(200)
    bt = again.machine.private[0]
    assert bt.u_ra[: int(bt.units)].any()
    spin = int(again.machine.hart.pc)
    for budget in range(1, 80):
        for machine in (again.from_start(), native.from_start()):
            machine.run(budget)
        assert place(again.machine) == place(native.machine), budget
        for machine in (again.machine, native.machine):
            machine.hart.x[1] = spin
            machine.run(7)
        assert place(again.machine) == place(native.machine), budget


@pytest.mark.parametrize("slice_", [1, 2, 3, 5, 7, 11])
def test_stops_in_a_row(slice_):
    """The guest passes the bare machine's places, in their order, whatever the stops."""
    prepare = kernel("    li s0, 5\n" + ROUND)
    machine = bare("strict", mem=RAM)
    places = native_places(prepare, "strict", 420)
    machine = under_bt("strict", mem=RAM, clock="cycles")
    prepare(machine)
    at = 0
    while machine.run(slice_).name == "BUDGET":
        now = place(machine)
        while at < len(places) and places[at] != now:
            at += 1
        assert at < len(places), now
    assert at > 200


def timed(machine, after):
    """Make the timer due after that time, with one unit in a tick."""
    hart = machine.hart
    due = machine.instret + int(hart.clock.idle) + after
    hart.clock.per_tick = machine.host.hart.clock.per_tick = 1
    hart.csr.stimecmp, hart.csr.stimecmph = due & 0xFFFFFFFF, 0
    hart.csr.sie = 0x20


def seen(machine):
    return place(machine), int(machine.hart.trail), machine.instret, machine.traps_by_cause()


LOOPS = {
    "every sequence": "    li s0, 3\n" + ROUND + CLOCK,
    "a loop": "    csrsi sstatus, 2\n    li s0, 25\n"
    "1:  addi s1, s1, 1\n    addi s0, s0, -1\n    bnez s0, 1b\n",
    "calls": "    csrsi sstatus, 2\n    li s0, 15\n"
    "1:  call 2f\n    addi s0, s0, -1\n    bnez s0, 1b\n    j 9f\n"
    "2:  addi s1, s1, 3\n    ret\n",
    "callouts": "    csrsi sstatus, 2\n    li s0, 8\n"
    "1:  csrr a0, sip\n    sfence.vma\n    rdtime a1\n    li a2, 2\n    csrs sip, a2\n"
    "    addi s1, s1, 1\n    ebreak\n    addi s0, s0, -1\n    bnez s0, 1b\n",
}


@pytest.mark.parametrize("way", ["strict", "leaky", "callouts", "traps", "all small"])
@pytest.mark.parametrize("name", LOOPS)
def test_under_icount_the_timer_comes_where_it_does_on_the_bare_machine(name, way):
    """For n = 1 .. N: the trail shows the instruction, and the counters are the same."""
    prepare = kernel(NO_HIGH + LOOPS[name] + SPIN)
    pair = [Again(made, prepare) for made in (bare(way, mem=RAM), under_bt(way, mem=RAM))]
    for after in range(1, 280):
        states = []
        for again in pair:
            machine = again.from_start()
            timed(machine, after)
            machine.run(400)
            states.append(seen(machine))
        assert states[0] == states[1], f"due after {after}"
    assert states[0][3]["irq_timer"] > 70


def test_in_cycles_time_the_timer_comes_between_guest_instructions():
    """A timer at each cycle: the handler finds the registers that belong to `sepc`."""
    body = """
        la      t0, spin
        csrw    stvec, t0
        csrw    stimecmph, zero
        li      s0, 0
        j       1f
        .align  2
    spin:
        j       spin
        .align  2
    """ + ROUND.replace("li      a2, 0x100", "li      a2, 0x102")
    for off, on in (
        ("csrrci  t0, sstatus, 2", "csrrsi  t0, sstatus, 2"),
        ("csrci   sstatus, 2", "csrsi   sstatus, 2"),
        ("csrrci  t1, sstatus, 31", "csrrsi  t1, sstatus, 2"),
        ("csrw    sstatus, zero", "csrsi   sstatus, 2"),
        ("8:  addi    s0, s0, -1\n    bnez    s0, 1b", "8:  j 1b"),
    ):
        assert off in body
        body = body.replace(off, on)  # nearly all of it runs with interrupts on
    inner = kernel(body)

    def prepare(machine):  # not due, unless set later
        inner(machine)
        machine.hart.csr.sie, machine.hart.csr.stimecmp = 0x20, 0xFFFFFFFF

    known = {(pc, x) for pc, x, _ in native_places(prepare, "strict", 4000)}
    again = Again(under_bt("strict", mem=RAM, clock="cycles"), prepare)
    taken = set()
    for after in range(1, 4000):
        machine = again.from_start()
        hart = machine.hart
        hart.clock.per_tick = machine.host.hart.clock.per_tick = 1
        hart.csr.stimecmp = machine.cycles + int(hart.clock.idle) + after & 0xFFFFFFFF
        machine.run(3000)
        if int(hart.csr.scause) == 0x80000005:
            at = int(hart.csr.sepc), tuple(hart.x[:32].tolist())
            assert at in known, f"{at[0]:#x}, due after {after}"
            taken.add(at[0])
    assert len(taken) > 20


def test_time_is_exact_where_instructions_are_done_one_by_one():
    """The last few before a deadline, and steps: `cycle` is read among them."""
    body = "    li s0, 40\n1:  rdcycle a0\n    rdtime a1\n    rdcycleh a2\n    add s2, s2, a0\n"
    same(kernel(body + "    addi s0, s0, -1\n    bnez s0, 1b\n"), 100, "strict", mem=RAM)
    for way in ("strict", "callouts", "traps"):
        pair = bare(way, mem=RAM), under_bt(way, mem=RAM)
        for machine in pair:
            kernel(body + "    j 1b\n")(machine)
        for step in range(200):
            for machine in pair:
                machine.advance()
            assert place(pair[0]) == place(pair[1]), step
