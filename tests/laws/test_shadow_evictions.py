"""More tables than shadow frames: some are evicted, and the others stay right."""

import pytest

from tests.laws.test_shadow_tables import check_tables
from tests.smallkernels import kernel
from tests.virtual import each_engine, each_layout, machine

# By name: the body, and the faults that the bare machine counts.
BODIES = {
    "more spaces than shadow frames, each its own root and table": ("""
        li      s0, 8
        li      s1, 0x80040000                  # the root; its entry 2 is the page 0x0040_2000
        li      s2, 0x80050000                  # which is here
    1:  li      t0, 0x200000cf
        li      t1, 0x800
        add     t1, t1, s1
        sw      t0, 0(t1)
        srli    t0, s1, 2
        ori     t0, t0, V
        sw      t0, 4(s1)
        srli    t0, s2, 2
        ori     t0, t0, RWAD
        sw      t0, 8(s1)
        sw      s0, 0(s2)
        li      t0, 0x1000
        add     s1, s1, t0
        add     s2, s2, t0
        addi    s0, s0, -1
        bnez    s0, 1b
        li      s3, 3
    2:  li      s1, 0x80080040                  # satp: each its own ASID, so no fence
        li      s0, 8
        li      s2, 0x400001
    3:  csrw    satp, s1
        load    0x00402000
        slli    s4, s4, 1
        add     s4, s4, a0
        addi    a0, a0, 16
        sw      a0, 0(t0)
        add     s1, s1, s2
        addi    s0, s0, -1
        bnez    s0, 3b
        addi    s3, s3, -1
        bnez    s3, 2b
    """, {}),
    "a space whose shadow has gone: what took its place must not see its pages": ("""
        .irp root, 0x80040000, 0x80041000       # each maps itself, so that it takes two frames
        entry   \\root + 0x800, 0x80000000, 0xcf
        entry   \\root + 4, \\root, V
        .endr
        entry   0x80040008, DATA, RWAD
        entry   0x8004100c, DATA2, RWAD
        entry   0x80041020, 0x80000000, RWAD
        space   0x80040000, 1
        load    0x00402000
        space   0x80041000, 2                   # of five frames the last
        space   0x80040000, 1
        load    0x00402000                      # into the TLB once more
        space   0x80041000, 2
        load    0x00403000                      # over the root of "paging is off"
        load    0x02030000                      # over the piece that code is in
        csrw    satp, zero                      # over the first space's root
        load    0x00402000
    """, {"load_access": 1}),
    "more tables than shadow frames in one space": ("""
        li      s0, 8
        li      s1, 0x80040000                  # the tables, all below one root
        li      s2, ROOT + 4 * 8
    1:  srli    t0, s1, 2
        ori     t0, t0, V
        sw      t0, 0(s2)
        li      t0, (DATA >> 2) | RWAD
        slli    t1, s0, 10
        add     t0, t0, t1
        sw      t0, 8(s1)
        li      t0, 0x1000
        add     s1, s1, t0
        addi    s2, s2, 4
        addi    s0, s0, -1
        bnez    s0, 1b
        space   ROOT, 1
        li      s3, 3
    2:  li      t0, 0x02002000
        li      s0, 8
    3:  lw      a0, 0(t0)
        slli    s4, s4, 1
        add     s4, s4, a0
        add     a0, a0, s0
        sw      a0, 0(t0)
        li      t1, 0x400000
        add     t0, t0, t1
        addi    s0, s0, -1
        bnez    s0, 3b
        addi    s3, s3, -1
        bnez    s3, 2b
    """, {}),
}  # fmt: skip


@each_engine
@each_layout
@pytest.mark.parametrize("name", BODIES)
def test_evictions(name, engine, layout):
    check_tables(*BODIES[name], engine, layout)


@each_engine
def test_a_warm_switch_costs_no_hidden_fault(engine):
    """Two spaces, unchanged; the tables of both stay."""
    body = """
        page    0, DATA, RWAD
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        entry   ROOT2 + 4, LEAF2, V
        entry   LEAF2, DATA2, RWAD
        li      s0, %d
    1:  space   ROOT, 1
        store   WINDOW, 1
        space   ROOT2, 2
        store   WINDOW, 2
        addi    s0, s0, -1
        bnez    s0, 1b
    """
    exits = []
    for rounds in (2, 102):
        made = machine(engine)
        kernel(body % rounds)(made)
        made.run()
        exits.append({kind: row["count"] for kind, row in made.exits().items()})
    few, many = exits
    assert many["satp"] - few["satp"] == 200
    assert many["hidden_fault"] == few["hidden_fault"]
    assert many.get("trace") == few.get("trace")
