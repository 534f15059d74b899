"""A body with every inline sequence of the translator, for tests that interrupt them.

It repeats `s0` times, and leaves interrupts as they were.  Must not know what interrupts it.
"""

# Registers are chosen so that scratch registers are used as operands, and x0, and rd == rs1.
ROUND = """
1:  csrr    a0, sstatus
    csrr    t0, sstatus
    csrrsi  a1, sstatus, 2
    csrrci  t0, sstatus, 2
    csrsi   sstatus, 2
    csrci   sstatus, 2
    csrrci  t1, sstatus, 31
    li      a2, 0x100
    csrrs   a3, sstatus, a2
    csrrc   t0, sstatus, a2
    csrrs   t0, sstatus, t0
    csrrw   a2, sstatus, a2
    csrw    sstatus, zero
    csrrw   t1, sscratch, t0
    csrrw   t1, sscratch, t1
    csrw    sscratch, a0
    csrrs   t2, sscratch, t1
    csrrc   a4, sscratch, s0
    csrrsi  a4, sscratch, 5
    csrrwi  a4, sscratch, 7
    csrrci  x0, sscratch, 3
    csrrw   a5, scause, s0
    csrrw   t0, sepc, a5
    csrrs   t1, sepc, s0
    csrrwi  t1, stval, 9
    csrr    a6, sie
    csrrw   a5, sie, a6
    csrrs   t0, sie, a6
    csrrsi  t1, sie, 2
    csrrci  t1, sie, 2
    csrr    a6, stvec
    csrr    a6, satp
    csrr    a6, scounteren
    auipc   a7, 3
    jal     t0, 2f
    nop
2:  la      t1, 3f
    jalr    t0, t1
    nop
3:  la      t0, 4f
    jalr    t0, t0
    nop
4:  la      a7, 5f
    jalr    ra, a7
    nop
5:  andi    a6, s0, 1                   # a target that changes: the bucket
    slli    a6, a6, 3
    la      a7, 6f
    add     a7, a7, a6
    jr      a7
6:  addi    s2, s2, 1
    addi    s2, s2, 1
    addi    s2, s2, 1
    la      t1, 7f
    add     t1, t1, a6
    jalr    t1, t1
7:  addi    s2, s2, 1
    addi    s2, s2, 1
    bltz    s0, 1b
    beqz    zero, 8f
8:  addi    s0, s0, -1
    bnez    s0, 1b
"""
CLOCK = """
    csrr    a0, timeh
    csrr    t0, cycleh
    csrr    t1, time
    csrr    zero, time
    csrr    a1, cycle
    csrr    a2, instret
"""
