"""One instruction at a time, in the guest's terms: the same steps as on the bare machine."""

import pytest

import guests
from asm import assemble_text
from tests.bt.test_guests import loading
from tests.bt.ways import bare, under_bt
from tests.tablekernels import END
from tests.virtual import machine as machine_of
from toyisa.machine import Exit
from toyisa.testing import lockstep

GUESTS = guests.catalogue()
FIELDS = ("pc", "insn", "reg", "trap", "next_pc", "csrs")


def pair_of(guest, way, skip=0):
    pair = bare(way), under_bt(way)
    for machine in pair:
        loading(GUESTS[guest])(machine)
        if skip:
            machine.run(skip)
    return pair


@pytest.mark.parametrize("way", ["strict", "leaky", "traps", "small cache"])
@pytest.mark.parametrize(("guest", "skip"), [("toyix", 0), ("toyix", 60_000), ("pages", 0)])
def test_steps_are_the_same(guest, skip, way):
    native, translated = pair_of(guest, way, skip)
    for n in range(1500):
        if native.how:
            break
        a, b = native.step(), translated.step()
        for field in FIELDS:
            assert getattr(a, field) == getattr(b, field), (n, field)
    assert native.guest_digest() == translated.guest_digest()
    assert native.hart.trail == translated.hart.trail


def test_steps_and_runs_mixed():
    """A step within a block, then on at full speed."""
    native, translated = pair_of("toyix", "strict")
    for n in range(1, 300):
        for machine in (native, translated):
            machine.run(n * 7 % 53)
            machine.advance()
        assert int(native.hart.pc) == int(translated.hart.pc)
        assert native.instret == translated.instret
    assert native.guest_digest() == translated.guest_digest()


def test_in_cycles_time_steps_are_guest_steps():
    """A step is one guest instruction, whatever it is translated to."""
    pair = bare("strict", clock="cycles"), under_bt("strict", clock="cycles")
    for machine in pair:
        loading(GUESTS["pages"])(machine)
    found = lockstep(*pair, 400)
    assert found is None, found


FENCES = """
_start:
    li    s2, 6
1:  csrr  t0, satp
    csrw  satp, t0
    sfence.vma
    sfence.vma
    sfence.vma
    addi  s2, s2, -1
    bnez  s2, 1b
"""
SEQUENCES = """
_start:
    li    s2, 20
1:  csrsi sstatus, 0
    csrw  sscratch, s2
    csrrw s3, sscratch, s3
    jal   2f
    addi  s2, s2, -1
    bnez  s2, 1b
    j     .
2:  ret
"""


@pytest.mark.parametrize("clock", ["cycles", "icount"])
@pytest.mark.parametrize("source", [FENCES, SEQUENCES], ids=["fences", "sequences"])
def test_a_run_retires_what_it_may_and_no_more(source, clock):
    """Fences are done behind a write of satp in the same exit, but not beyond the budget."""
    elf = assemble_text(source + END).elf()
    for budget in range(1, 60):
        machine = under_bt("strict", clock=clock)
        machine.load(elf)
        assert machine.run(budget) is Exit.BUDGET or machine.how
        assert machine.instret == budget or machine.how


def test_a_limit_of_cycles_within_a_sequence_ends_the_run():
    """With counted instructions each block begins with a sequence."""
    elf = assemble_text("_start: addi t0, t0, 1\n addi t1, t1, 1\n j _start\n").elf()
    for spend in range(100_000, 100_040):
        machine = under_bt("strict")
        machine.load(elf)
        machine.hart.root.spend = spend
        assert machine.run(1_000_000) is Exit.BUDGET
        assert spend <= machine.cycles < spend + 2000


@pytest.mark.parametrize("engine", ["native", "trap", "bt"])
def test_what_a_debugger_changes_while_the_guest_runs_on_is_seen(engine):
    """Between two runs that only a look separates; the loop has no exit of its own."""
    machine = machine_of(engine)
    machine.load(assemble_text("_start: la t0, 1f\n csrw stvec, t0\n csrsi sip, 2\n"
                               " csrsi sstatus, 2\n j .\n.balign 4\n1:" + END).elf())  # fmt: skip
    assert machine.run(seconds=0) is Exit.TIMEOUT
    machine.hart.csr.sie = 2
    machine.run(seconds=60)
    assert machine.how
