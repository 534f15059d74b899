"""Interrupts, timers, reservations and hopeless traps, under each engine as on the bare machine."""

import pytest

from tests.smallkernels import RAM, kernel
from tests.virtual import compare, each_engine, each_layout

COUNT = """
    .macro timer after                  # in ticks, from now
    rdtime  t0
    addi    t0, t0, \\after
    csrw    stimecmp, t0
    csrw    stimecmph, zero
    .endm
    li      t0, 0x222
    csrw    sie, t0
"""

# By name: the body, how it ends, and traps that the bare machine counts.
BODIES = {
    "the timer comes at one instruction and no other": (COUNT + """
        csrsi   sstatus, 2
        li      s0, 60
    1:  timer   3
        li      s1, 60
    2:  addi    s2, s2, 1
        addi    s1, s1, -1
        bnez    s1, 2b
        addi    s0, s0, -1
        bnez    s0, 1b
    """, "HALTED", {"irq_timer": 60}),
    "in U, whatever SIE says": (COUNT + """
        space   ROOT, 1
        li      s0, 40
    1:  timer   2
        csrci   sstatus, 2
        user
        li      s1, 50
    2:  addi    s2, s2, 1
        addi    s1, s1, -1
        bnez    s1, 2b
        kernel
        addi    s0, s0, -1
        bnez    s0, 1b
    """, "HALTED", {"irq_timer": 40, "ecall_u": 40}),
    "held back, pending, and taken when it is let": (COUNT + """
        csrci   sstatus, 2
        timer   0
        csrsi   sip, 2                  # and the software's, which goes first
        csrr    s1, sip
        addi    s2, s2, 1
        csrr    s3, scause
        csrsi   sstatus, 2
        csrr    s4, scause
        csrr    s5, sip
    """, "HALTED", {"irq_timer": 1, "irq_software": 1}),
    "one enabled while the other stays": (COUNT + """
        li      t0, 0x2
        csrw    sie, t0
        csrsi   sstatus, 2
        timer   0
        addi    s2, s2, 1
        csrr    s1, sip
        csrsi   sip, 2
        addi    s2, s2, 1
        li      t0, 0x22
        csrw    sie, t0
        addi    s2, s2, 1
    """, "HALTED", {"irq_software": 1}),
    "let by sret and by csrrw": (COUNT + """
        csrci   sstatus, 2
        timer   0
        li      t0, 0x120               # SPP, SPIE
        csrs    sstatus, t0
        la      t0, 1f
        csrw    sepc, t0
        sret
    1:  addi    s2, s2, 1
        csrci   sstatus, 2
        timer   1
        li      s1, 100
    2:  addi    s1, s1, -1
        bnez    s1, 2b
        li      t0, 0x102
        csrrw   s3, sstatus, t0
        addi    s2, s2, 1
    """, "HALTED", {"irq_timer": 2}),
    "vectored: interrupts by their number, exceptions at the base": ("""
        la      t0, table
        ori     t0, t0, 1
        csrw    stvec, t0
        csrr    s4, stvec
    """ + COUNT + """
        csrsi   sstatus, 2
        timer   1
        li      s0, 40
    1:  addi    s0, s0, -1
        bnez    s0, 1b
        csrsi   sip, 2
        nop
        .word   0
        ebreak
        j       over
        .align  8
    table:
        j       trap
        j       soft
        nop
        nop
        nop
        j       timed
    soft:
        addi    s8, s8, 1
        csrci   sip, 2
        sret
    timed:
        addi    s9, s9, 1
        li      t5, -1
        csrw    stimecmph, t5
        sret
    over:
    """, "HALTED", {"irq_timer": 1, "irq_software": 1, "illegal": 1, "breakpoint": 1}),
    "wfi with interrupts off, with one pending, with none to come": (COUNT + """
        csrci   sstatus, 2
        timer   100
        wfi
        rdtime  s1
        wfi                             # pending already
        rdtime  s2
        csrsi   sstatus, 2
        timer   50
        wfi
        rdtime  s3
        csrw    sie, zero
        wfi
    """, "IDLE", {"irq_timer": 2}),
    "time stands where the bare machine's does": (COUNT + """
        li      s0, 50
    1:  rdtime  a0
        rdcycle a1
        rdinstret a2
        csrr    a3, timeh
        add     s2, s2, a0
        xor     s3, s3, a1
        add     s4, s4, a2
        timer   7
        wfi
        addi    s0, s0, -1
        bnez    s0, 1b
    """, "HALTED", {}),
    "counters in U, by scounteren": ("""
        space   ROOT, 1
        .irp bits, 0, 1, 2, 4, 7
        li      t0, \\bits
        csrw    scounteren, t0
        user
        rdtime  a0
        rdcycle a1
        rdinstret a2
        csrr    a3, instreth
        csrr    a4, sstatus
        csrw    cycle, a0
        wfi
        sret
        sfence.vma
        kernel
        .endr
        csrw    cycle, a0
        csrr    a0, 0x123
    """, "HALTED", {"illegal": 39}),
    "a reservation and a trap: the handler's sc fails": (COUNT + """
        la      t0, taken
        csrw    stvec, t0
        li      s0, DATA
        li      s1, 200
        csrw    stimecmph, s0           # not yet
        csrsi   sstatus, 2
    1:  timer   1
        lr.w    a0, (s0)
        li      t1, 37
    2:  addi    t1, t1, -1
        bnez    t1, 2b
        sc.w    a0, s1, (s0)
        add     s6, s6, a0
        addi    s1, s1, -1
        bnez    s1, 1b
        j       finish
        .align  2
    taken:
        sc.w    a1, s1, (s0)
        add     s7, s7, a1
        sub     s8, s8, a0
        li      t5, -1
        csrw    stimecmph, t5
        sret
    """, "HALTED", {}),
    "a reservation lives through what only the monitor sees": ("""
        page    0, DATA, RWAD
        page    1, DATA2, RWAD
        space   ROOT, 1
        li      s0, WINDOW
        lr.w    a0, (s0)                # a hidden fault, then CSRs, a fill, a table store
        csrr    a1, sscratch
        csrw    sscratch, a1
        load    WINDOW + 0x1000
        page    2, DATA, RWAD
        li      t1, 9
        sc.w    s1, t1, (s0)
        lr.w    a0, (s0)
        rdtime  a1
        store   WINDOW + 0x2000, 3      # the same word at another address
        sc.w    s2, t1, (s0)
        lr.w    a0, (s0)
        sfence.vma
        store   WINDOW + 0x2004, 3
        sc.w    s3, t1, (s0)
        li      s0, LEAF                # and one on a table, which the MMU may store to
        lr.w    a0, (s0)
        page    3, DATA2, RW
        sc.w    s4, a0, (s0)
        li      s0, LEAF + 12
        lr.w    a0, (s0)
        load    WINDOW + 0x3000         # A
        sc.w    s5, a0, (s0)
        lr.w    a0, (s0)
        li      a7, 0x10                # an SBI call is no trap of S's
        li      a6, 0
        ecall
        sc.w    s6, a0, (s0)
        lr.w    a0, (s0)
        ebreak
        sc.w    s7, a0, (s0)
        lr.w    a0, (s0)
        user
        kernel
        sc.w    s8, a0, (s0)
    """, "HALTED", {}),
    "stvec at nothing": ("""
        li      t0, 0x40000000
        csrw    stvec, t0
        ebreak
    """, "FATAL", {"breakpoint": 1, "insn_access": 63}),
    "stvec at a page that is not mapped": ("""
        space   ROOT, 1
        li      t0, 0x40000000
        csrw    stvec, t0
        .word   0
    """, "FATAL", {"illegal": 1, "fetch_page": 63}),
    "a handler that faults in itself": ("""
        la      t0, 1f
        csrw    stvec, t0
        ebreak
        .align  2
    1:  lw      a0, 0(zero)
        sret
    """, "FATAL", {"breakpoint": 1, "load_access": 63}),
    "a handler that counts, and faults: it goes on for ever": ("""
        la      t0, 1f
        csrw    stvec, t0
        ebreak
        .align  2
    1:  addi    s0, s0, 1
        csrw    sscratch, s0
        lw      a0, 0(zero)
        sret
    """, "BUDGET", {"breakpoint": 1}),
    "an instruction that traps leaves its register alone": ("""
        space   ROOT, 1
        csrr    a0, sscratch
        csrr    a1, sscratch
        li      a0, 77
        csrr    a0, 0x123
        li      a1, 78
        csrrw   a1, cycle, a0
        user
        li      a0, 79
        csrr    a0, sepc
        li      a1, 80
        rdcycle a1
        kernel
    """, "HALTED", {"illegal": 4, "ecall_u": 1}),
    "U with paging off, then S in the same pages": ("""
        la      s10, 2f
        la      t0, 1f
        csrw    sepc, t0
        li      t0, SPP
        csrc    sstatus, t0
        sret
    1:  load    DATA
        store   DATA, 5
        load    UART + 5                # misaligned
        lbu     a1, 0(t0)
        li      a7, 0x5555
        ecall
    2:  load    DATA
        store   DATA, 6
    """, "HALTED", {"ecall_u": 1}),
    "S runs a page of U's, U one of S's": ("""
        space   ROOT, 1
        la      ra, 1f
        la      t0, finish
        li      t1, USER - 0x80000000
        add     t0, t0, t1
        jr      t0
    1:  user
        la      ra, 2f
        li      t0, 0x80000000
        jr      t0
    2:  kernel
    """, "HALTED", {"fetch_page": 2}),
    "ecall, ebreak, and misaligned jumps and accesses in U": ("""
        space   ROOT, 1
        page    0, DATA, RWAD | U
        user
        ebreak
        ecall
        li      t0, WINDOW + 1
        lw      a0, 0(t0)
        sh      a0, 0(t0)
        li      t0, 0x40000001
        lw      a0, 0(t0)
        lr.w    a0, (t0)
        amoadd.w a0, a0, (t0)
        la      t0, finish + 2
        jr      t0
        kernel
    """, "HALTED", {"ecall_u": 2, "breakpoint": 1, "insn_misaligned": 1}),
}  # fmt: skip


NAMES = [pytest.param(name, marks=pytest.mark.compiled) if BODIES[name][1] == "BUDGET" else name
         for name in BODIES]  # fmt: skip


@each_engine
@each_layout
@pytest.mark.parametrize("name", NAMES)
def test_traps(name, engine, layout):
    body, end, traps = BODIES[name]
    bare = compare(kernel(body), 100_000, engine, layout=layout, mem=RAM)
    assert bare.end == end, bare
    assert {kind: n for kind, n in bare.traps.items() if kind in traps} == traps
