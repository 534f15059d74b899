"""The facts of a diagnosis: hot code, the next steps, the latest traps."""

import pytest

from asm.assembler import assemble
from toyisa.machine import Machine
from vmm.diagnose.hot import hottest
from vmm.diagnose.traps import first_fault, taken, unreturned
from vmm.diagnose.window import STEPS, watch


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One machine for all tests: the guest is loaded anew."""

    def run(source, budget):
        path = tmp_path_factory.mktemp("guest") / "k.S"
        path.write_text(source)
        machine = Machine(mem=1 << 20)
        machine.load(assemble(path).elf())
        machine.run(budget)
        return machine

    return run


def test_the_hottest_code_is_counted_exactly(run):
    machine = run("_start: li t0, 100\n1: addi t0, t0, -1\n nop\n bnez t0, 1b\n j .\n", 310)
    first, second, *_ = hottest(machine)
    assert (first.pc, first.count, first.times) == (0x8000_0004, 3, 100)
    assert first.share == 300 / 310
    assert (second.pc, second.times) == (0x8000_0010, 9)
    assert machine.instret == 310


def test_code_at_another_virtual_address_is_told_by_that(run):
    source = """
_start: la t0, table
        li t1, 0x200000cf
        li t2, 2048
        add t2, t0, t2
        sw t1, 0(t2)
        sw t1, 0(t0)                    # the same 4 MiB at 0
        srli t0, t0, 12
        li t1, 1 << 31
        or t0, t0, t1
        csrw satp, t0
        la t0, low
        slli t0, t0, 1
        srli t0, t0, 1
        jr t0
low:    la t0, table                    # of the two mappings one remains
        addi t0, t0, 1024
        sw zero, 1024(t0)
        sfence.vma
end:    j end
        .data
        .balign 4096
table:  .space 4096
"""
    (first, *_) = hottest(run(source, 5000))
    assert not first.physical
    assert first.pc < 0x1000
    assert first.share > 0.99


def test_a_machine_is_put_back_after_its_steps_were_looked_at(run):
    source = "_start: li a7, 1\n li a0, 'x'\n1: ecall\n li a0, 'x'\n sw a0, -64(sp)\n j 1b\n"
    machine = run(source.replace("_start:", "_start: li sp, 0x80080000\n"), 1000)
    before, text = machine.digest(), machine.output()
    window = watch(machine)
    assert 10 < len(window.steps) <= STEPS  # less where the host has no time for them
    assert window.ended is None
    assert machine.digest() == before
    assert machine.output() == b"" != text
    assert not any(step.trap for step in window.steps)  # calls to the firmware are none


def test_the_latest_traps_are_kept_in_rows(run):
    source = """
_start: la t0, handler
        csrw stvec, t0
        li s0, 0
        .word 0
        ebreak
        ebreak
        li t0, 1
        lw t0, 0(t0)
        .balign 4
handler: addi s0, s0, 1
        li t0, 5
        beq s0, t0, stay
        bgtu s0, t0, end
        csrr t0, sepc
        li t1, 3
        bltu s0, t1, again
        addi t0, t0, 4
again:  csrw sepc, t0
        sret
stay:   lw t0, 3(zero)
end:    j end
"""
    machine = run(source, 200)
    rows = taken(machine.hart)
    names = [(row.name, row.times, row.returned) for row in rows]
    assert names == [
        ("illegal", 3, 3), ("breakpoint", 1, 1), ("breakpoint", 1, 0), ("load_misaligned", 1, 0),
    ]  # fmt: skip
    chain = unreturned(rows)
    assert [row.name for row in chain] == ["breakpoint", "load_misaligned"]
    assert first_fault(chain) is chain[0]
    assert sum(row.times for row in rows) == sum(machine.traps_by_cause().values())


def test_the_latest_traps_are_part_of_a_snapshot(run, tmp_path):
    machine = run("_start: la t0, 1f\n csrw stvec, t0\n ebreak\n .balign 4\n1: j 1b\n", 100)
    machine.save(tmp_path / "snap")
    assert taken(Machine.restore(tmp_path / "snap").hart) == taken(machine.hart) != []
