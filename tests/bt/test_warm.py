"""Warm code needs no root: a loop of jumps, calls and returns only retires instructions."""

import pytest

from tests.bt.ways import under_bt
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
