"""What guests do with their page tables, each act on the bare machine and under each engine."""

import pytest

from tests.smallkernels import RAM, kernel
from tests.virtual import compare, each_engine, each_layout

# By name: the body, and the page faults that the bare machine counts.
BODIES = {
    "tables mapped by a table that maps itself too": ("""
        entry   ROOT + 4 * 1023, SPARE, V       # tables are at 0xffc0_0000
        entry   SPARE, ROOT, RW
        entry   SPARE + 4, LEAF, RW
        entry   SPARE + 8, SPARE, RW
        page    0, DATA, RWAD
        space   ROOT, 1
        store   0xffc01004, (DATA2 >> 2) | RWAD # the window's page 1, through the mapping
        sfence.vma
        store   WINDOW + 0x1000, 5
        store   0xffc0000c, 0x200000cf          # a superpage at 0x00c0_0000, S's now
        sfence.vma
        load    USER
        store   0xffc0200c, (LEAF >> 2) | RW    # the table maps LEAF once more, by itself
        store   0xffc03008, (DATA >> 2) | R     # and there
        sfence.vma
        load    WINDOW + 0x2000
        store   WINDOW + 0x2000, 1
        load    0xffc02008                      # A and D of what was used
        store   0xffc02008, 0                   # and the mapping takes itself away
        sfence.vma
        load    0xffc02000
        load    0xffc01008
        store   0xffc00ffc, 0
        sfence.vma
        load    0xffc01008
    """, {"load_page": 2, "store_page": 1}),
    "a table's entry that maps the table, found by its own faults": ("""
        page    5, LEAF, RW                     # A and D clear: each access sets them there
        space   ROOT, 1
        load    WINDOW + 0x5014
        store   WINDOW + 0x5018, (DATA >> 2) | RW
        load    WINDOW + 0x5014
        load    WINDOW + 0x6000
        load    WINDOW + 0x5018
        store   WINDOW + 0x6000, 1
        load    WINDOW + 0x5018
    """, {}),
    "a table page used as data again": ("""
        page    0, DATA, RWAD
        page    1, LEAF2, RWAD
        entry   ROOT + 4, LEAF, V
        entry   ROOT + 8, LEAF2, V
        space   ROOT, 1
        load    0x00800000                      # faults: LEAF2 has nothing, but is a table
        store   0x00401000, (DATA >> 2) | RWAD
        load    0x00800000
        entry   ROOT + 8, 0, 0
        sfence.vma
        li      s0, 64
    1:  store   0x00401000, 0x12345678          # LEAF2, data from now on
        addi    t0, t0, 256
        sw      s0, 0(t0)
        addi    s0, s0, -1
        bnez    s0, 1b
        load    0x00800000
        entry   ROOT + 8, LEAF2, V              # and a table once more
        store   0x00401000, (DATA2 >> 2) | RWAD
        sfence.vma
        load    0x00800000
    """, {"load_page": 2}),
    "a page that is table and code": ("""
        entry   ROOT + 8, SPARE, V
        space   ROOT, 1
        store   SPARE, 0x00150513               # addi a0, a0, 1: a page for U
        store   SPARE + 4, 0x00008067           # ret
        li      s0, 40
    1:  jump    SPARE
        store   SPARE + 8, (DATA >> 2) | RWAD
        load    0x00802000
        addi    s0, s0, -1
        bnez    s0, 1b
        store   SPARE, 0x00250513               # the code changes, addi a0, a0, 2
        fence.i
        jump    SPARE
        load    0x00800000
        load    0x00801000
    """, {"load_page": 1, "load_access": 1}),
    "code that is taken for a table: the MMU sets A in an instruction": ("""
        entry   ROOT + 8, 0x80000000, V         # the handler's page; its words as entries
        page    0, DATA, RWAD
        li      t0, SUM
        csrs    sstatus, t0
        store   SPARE, 0x00150513               # addi a0, a0, 1: V R U, a page far away
        store   SPARE + 4, 0x00008067           # ret
        entry   ROOT + 12, SPARE, V
        li      s0, 20
        space   ROOT, 1
    1:  jump    SPARE
        addi    s0, s0, -1
        bnez    s0, 1b
        load    0x00c00000                      # now it is addi a0, a0, 5
        li      a0, 0
        jump    SPARE
        mv      s1, a0
    """, {"load_access": 1}),
    "a load that sets A in its own word, then an atomic A and D": ("""
        entry   ROOT, SPARE, V                  # what is at SPARE, as entries
        store   0x80011200, 0x5a
        store   SPARE, 0x20004503               # lbu a0, 512(x0): V R, the page 0x8001_1000
        store   SPARE + 4, 0x00008067           # ret
        space   ROOT, 1
        jump    SPARE
        mv      s1, a0
        jump    SPARE                           # now it is 0x20004543, which is none
        store   SPARE, 0x2002252f               # amoxor.w a0, x0, (tp): V R W X G
        sfence.vma
        fence.i
        li      tp, 0x100
        store   0x80089100, 0x77
        jump    SPARE
        add     s1, s1, a0                      # now it is 0x200225ef, a jal
    """, {}),
    "one page both a root and a leaf table": ("""
        entry   ROOT + 4, ROOT, V               # 0x0040_0000: the root's entries as pages
        entry   ROOT + 4 * 2, DATA, RWAD        # as a superpage misaligned, as a page right
        space   ROOT, 1
        store   0x00402000, 7
        load    0x00800000
        entry   ROOT + 4 * 2, DATA2, RW
        sfence.vma
        store   0x00402000, 8
        load    0x00402000
        load    ROOT + 8
    """, {"load_page": 1}),
    "superpage: D late, in two pieces; then split into pages": ("""
        entry   ROOT + 4 * 2, 0x80000000, RW
        space   ROOT, 1
        load    0x00830000
        load    0x00831000
        load    ROOT + 8
        store   0x00830000, 3                   # D, and the other piece may be written too
        store   0x00831000, 4
        load    ROOT + 8
        entry   SPARE + 4 * 0x30, DATA, RW
        entry   SPARE + 4 * 0x31, DATA2, R
        entry   ROOT + 8, SPARE, V
        sfence.vma
        store   0x00830000, 5
        store   0x00831000, 6                   # read-only now
        load    0x00832000                      # and not there
        entry   ROOT + 4 * 2, 0x80000000, RW    # whole again
        sfence.vma
        load    0x00832000
        store   0x00831000, 6
    """, {"load_page": 1, "store_page": 1}),
    "one superpage in two roots, dirty in one": ("""
        entry   ROOT + 8, 0x80000000, RW
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        entry   ROOT2 + 8, 0x80000000, RW
        space   ROOT, 1
        store   0x00830000, 3
        space   ROOT2, 2
        load    0x00830000
        load    ROOT2 + 8
        store   0x00830000, 4
        load    ROOT2 + 8
        space   ROOT, 1
        load    ROOT2 + 8
    """, {}),
    "a superpage that ends beyond RAM, and one beyond": ("""
        entry   ROOT + 8, 0x80000000, RW
        entry   ROOT + 12, 0x80400000, RW
        entry   ROOT + 16, 0x10000000, RW       # the UART's
        space   ROOT, 1
        load    0x008fe000
        load    0x009ff000
        store   0x009fe000, 1
        load    0x00bff000
        store   0x00bff000, 1
        load    0x00c00000
        store   0x00c00000, 1
        li      t0, 0x01000005
        lbu     a0, 0(t0)
        jump    0x00bff000
        load    ROOT + 8
        load    ROOT + 12
    """, None),
    "misaligned superpages, reserved bits, tables below the last level": ("""
        entry   ROOT + 8, 0x80001000, RWAD
        entry   ROOT + 12, LEAF2, V | A
        entry   ROOT + 16, LEAF2, V | D
        entry   ROOT + 20, LEAF2, V | U
        entry   ROOT + 24, LEAF2, V | G
        entry   ROOT + 28, LEAF2, V | W
        entry   ROOT + 32, 0x80200000, RWAD
        entry   LEAF2, DATA, RWAD
        page    0, LEAF2, V
        page    1, DATA, V | W
        page    2, DATA, V | W | X
        page    3, DATA, 0
        page    4, DATA, RWAD | 0x300           # the bits for software
        space   ROOT, 1
        .irp at, 0x00800000, 0x00c00000, 0x01000000, 0x01400000, 0x01800000, 0x01c00000, 0x02000000
        load    \\at
        store   \\at, 1
        jump    \\at
        .endr
        .irp n, 0, 1, 2, 3, 4
        load    WINDOW + 0x1000 * \\n
        store   WINDOW + 0x1000 * \\n, 1
        .endr
    """, {"load_page": 10, "store_page": 10, "fetch_page": 7}),
    "tables outside RAM, and in the UART": ("""
        entry   ROOT + 8, 0x00000000, V
        entry   ROOT + 12, 0x10000000, V
        entry   ROOT + 16, 0x80800000, V
        li      t0, ROOT + 20
        li      t1, 0xfffffc01
        sw      t1, 0(t0)
        space   ROOT, 1
        .irp at, 0x00800000, 0x00c00000, 0x01000000, 0x01400000
        load    \\at
        store   \\at, 1
        jump    \\at + 0x800
        .endr
    """, {"load_access": 4, "store_access": 4}),
    "the UART at another address, a page partly device": ("""
        page    0, UART, RW
        page    1, 0x00100000, R
        page    2, 0x20000000, RW
        page    3, UART, X | A
        space   ROOT, 1
        li      t0, WINDOW
        li      t1, 'h'
        sb      t1, 0(t0)
        li      t1, 'i'
        sb      t1, 0(t0)
        lbu     s1, 5(t0)
        lw      a1, 5(t0)                       # misaligned first
        lw      a1, 16(t0)                      # nothing there
        sw      a1, 16(t0)
        lr.w    a1, (t0)
        sc.w    a2, a1, (t0)
        amoadd.w a2, a1, (t0)
        jump    WINDOW
        jump    WINDOW + 0x3000                 # no code on a device
        load    WINDOW + 0x1000
        store   WINDOW + 0x1000, 0x5555         # read-only: it does not end here
        load    WINDOW + 0x2000
        store   WINDOW + 0x2000, 0
        load    LEAF
    """, None),
    "stores of every kind to a table": ("""
        page    0, DATA, RWAD
        page    1, DATA2, RWAD
        space   ROOT, 1
        load    WINDOW
        li      s0, LEAF
        li      t1, 0xc3                        # W away: R A D
        sb      t1, 0(s0)
        sfence.vma
        store   WINDOW, 1
        li      t1, 0x2000
        sh      t1, 2(s0)                       # another frame: its upper half
        sfence.vma
        load    WINDOW
        addi    s0, s0, 4
        li      t1, -5
        amoand.w a0, t1, (s0)
        sfence.vma
        store   WINDOW + 0x1000, 1
        lr.w    a0, (s0)
        ori     a0, a0, W
        sc.w    a1, a0, (s0)
        sfence.vma
        store   WINDOW + 0x1000, 2
        sc.w    a1, zero, (s0)                  # fails, and leaves the entry alone
        load    WINDOW + 0x1000
        lr.w    a0, (s0)
        load    LEAF + 8
        mv      s1, s0
        amoswap.w s1, zero, (s1)                # its address register takes the result
        sfence.vma
        load    WINDOW + 0x1000
        sw      t1, 1(s0)                       # misaligned
    """, {"store_page": 2, "load_page": 1}),
    "A and D": ("""
        page    0, DATA, V | R
        page    1, DATA, RW
        page    2, DATA, V | X
        page    3, DATA, RW
        page    4, DATA2, V | R | X
        space   ROOT, 1
        load    WINDOW
        store   WINDOW, 1                       # a fault sets neither
        load    WINDOW + 0x1000
        load    LEAF + 4
        store   WINDOW + 0x1000, 1
        load    LEAF + 4
        store   DATA, 0x00008067
        store   DATA2, 0x00008067
        jump    WINDOW + 0x2000
        load    WINDOW + 0x2000
        store   WINDOW + 0x3000, 0x00008067
        jump    WINDOW + 0x4000
        load    LEAF + 12
        entry   LEAF + 4, DATA, RW              # A and D cleared: to be seen again
        sfence.vma
        load    WINDOW + 0x1000
        load    LEAF + 4
        entry   LEAF + 4, DATA, RW | A
        sfence.vma
        store   WINDOW + 0x1000, 0x00008067
        load    LEAF + 4
    """, {"load_page": 1, "store_page": 1}),
    "a table changed while another space is current": ("""
        page    0, DATA, RWAD
        entry   ROOT2 + 0x800, 0x80000000, 0xcf
        entry   ROOT2 + 4, LEAF, V
        entry   ROOT2 + 8, LEAF2, V
        entry   LEAF2, DATA2, RWAD
        space   ROOT, 1
        store   WINDOW, 1
        space   ROOT2, 2
        store   WINDOW, 2
        store   0x00800000, 3
        space   ROOT, 1
        store   LEAF2, (DATA >> 2) | R | V | A  # nothing leads there from here
        space   ROOT2, 2
        sfence.vma
        load    0x00800000
        store   0x00800000, 1
        space   ROOT, 1
        li      s0, 30
    1:  store   LEAF2, (DATA2 >> 2) | RW
        sw      s0, 128(t0)
        addi    s0, s0, -1
        bnez    s0, 1b
        space   ROOT2, 2
        sfence.vma
        load    0x00800000
        store   0x00800000, 1
        load    LEAF2
    """, {"store_page": 1}),
    "satp at nothing": ("""
        la      t0, 1f
        csrw    stvec, t0
        csrw    sscratch, t0
        li      t0, 0x80000000 | 0x10000        # outside RAM: the next fetch fails, for ever
        csrw    satp, t0
        nop
    1:  nop
    """, None),
    "satp at a page of data": ("""
        space   DATA, 1
        nop
    """, None),
    "what is stored to a table in use, and may not stand there": ("""
        page    0, DATA, RWAD
        store   DATA, 0x00008067
        space   ROOT, 1
        load    WINDOW
        page    1, DATA, V | W | X | A | D      # reserved, not what can be executed
        page    2, DATA, V | W | X | A
        page    3, LEAF2, V | A | D
        page    4, DATA, X | A
        sfence.vma
        .irp n, 1, 2, 3, 4
        jump    WINDOW + 0x1000 * \\n
        .endr
    """, {"fetch_page": 3}),
}  # fmt: skip


def check_tables(body, faults, engine, layout):
    """The body under the engine as on the bare machine, and the faults that it takes there."""
    for mem in (RAM, (2 << 20) - 4096):  # whole superpages, and less than one
        bare = compare(kernel(body), 100_000, engine, layout=layout, mem=mem)
        if faults is not None:
            assert bare.end == "HALTED", bare
            kinds = ("load_page", "store_page", "fetch_page", "load_access", "store_access")
            taken = {kind: n for kind, n in bare.traps.items() if kind in kinds}
            if "load_access" in faults:
                taken.pop("fetch_page", None)
            assert {k: n for k, n in taken.items() if k in kinds} == faults


@each_engine
@each_layout
@pytest.mark.parametrize("name", BODIES)
def test_tables(name, engine, layout):
    check_tables(*BODIES[name], engine, layout)
