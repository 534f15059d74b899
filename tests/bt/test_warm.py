"""Warm code needs no root: a loop of jumps, calls and returns only retires instructions."""

import pytest

from tests.bt.ways import bare, under_bt
from tests.smallkernels import RAM, kernel

LOOPS = {
    "indirect jumps": """
    1:  la      t0, 2f
        jr      t0
        nop
    2:  la      a0, 3f
        jr      a0
        nop
    3:  j       1b
    """,
    "calls and returns, from many places": """
    1:  call    2f
        call    2f
        call    2f
        la      t1, 2f
        jalr    t0, t1
        jalr    t1, t1
        j       1b
    2:  addi    s2, s2, 1
        la      t1, 2b
        addi    a0, ra, 0
        bnez    ra, 3f
    3:  jr      a0
    """,
    "a table of targets": """
    1:  addi    s0, s0, 1
        andi    a0, s0, 7
        slli    a0, a0, 3
        la      a1, 2f
        add     a1, a1, a0
        jr      a1
    2:
    """ + "    addi s2, s2, 1\n    j 1b\n" * 8,
    "more targets than are compared with, all of one bucket": """
        la      a1, 2f
        li      a2, 9
    1:  mv      a0, a1
        mv      a3, a2
    3:  jalr    a0
        lui     a4, 1
        add     a0, a0, a4
        addi    a3, a3, -1
        bnez    a3, 3b
        j       1b
        .balign 4096
    2:
    """ + "    addi s2, s2, 1\n    ret\n    .balign 4096\n" * 9,
    "interrupts off and on, CSRs, time": """
    1:  csrrci  a0, sstatus, 2
        csrrw   a1, sscratch, a1
        csrr    a2, sstatus
        csrw    sepc, a2
        csrr    a3, scause
        rdtime  a4
        rdcycleh a4
        csrrs   a5, sie, zero
        csrsi   sstatus, 2
        csrw    sstatus, a0
        j       1b
    """,
}  # fmt: skip


@pytest.mark.parametrize("way", ["strict", "leaky"])
@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_no_exit(body, way):
    machine = under_bt(way, mem=RAM, clock="cycles")
    kernel(body)(machine)
    machine.run(20_000)
    before, counted = machine.exits(), machine.private[0].count.copy()
    start = machine.instret
    assert machine.run(200_000).name == "BUDGET"
    assert machine.instret - start >= 200_000
    after = machine.exits()
    before.pop("other", None)  # the budgets
    after.pop("other", None)
    assert after == before
    changed = [n for n in range(len(counted)) if machine.private[0].count[n] != counted[n]]
    assert [n for n in changed if n != 16] == []


CALLS = """
    1:
    """ + "    call 2f\n    addi s0, s0, 1\n    call 3f\n    xor s1, s1, s0\n" * 8 + """
        j       1b
    2:  addi    s2, s2, 1
        add     s3, s3, s2
        xor     s4, s4, s3
        ret
    3:  mv      a5, ra
        call    2b
        call    2b
        jr      a5
"""  # fmt: skip
OPERATIONS = """
        la      s3, program
        mv      s4, s3
    1:  lw      a0, 0(s4)
        addi    s4, s4, 4
        jr      a0
    add:
        add     s5, s5, s6
        addi    s5, s5, 3
        j       1b
    mix:
        slli    a1, s5, 7
        xor     s5, s5, a1
        j       1b
    swap:
        xor     s6, s6, s5
        xor     s5, s6, s5
        j       1b
    loop:
        mv      s4, s3
        j       1b
        .data
    program:
        .word   add, mix, swap, add, swap, mix, mix, add, add, swap, loop
"""
# In cycles of the bare machine's; by the buckets alone they cost 4.7 and 3.7 times as many.
DEAR = {"calls from many places": (CALLS, 3.2), "operations": (OPERATIONS, 2.6)}


@pytest.mark.parametrize(("body", "most"), DEAR.values(), ids=DEAR)
def test_indirect_jumps_cost_little(body, most):
    """Where a jump goes follows from how it was come to: each way has a copy that is right."""
    spent = []
    for make in (bare, under_bt):
        machine = make("strict", mem=RAM, clock="cycles")
        kernel(body)(machine)
        machine.run(20_000)
        before = machine.cycles
        machine.run(100_000)
        spent.append(machine.cycles - before)
    assert spent[1] <= most * spent[0], spent[1] / spent[0]
