# A firmware for Spike in M mode that lets a generated kernel run in S as on our
# machine: what our root does, done by somebody else's hart.  The kernel's console
# output goes nowhere, but what its calls answer is the same.
#
#   1. All memory is S's; all traps but ecall from S are, and its interrupts.
#   2. A and D bits are set by hardware (ADUE), stimecmp is there (STCE).
#   3. mret to S at the word `guest`, all registers 0.
#
# M's CSRs are written by number: our assembler does not know them.

    .text
    .globl  _start
_start:
    j       start
guest:
    .word   0                           # the kernel's entry, put here by the test

start:
    la      t0, m_trap
    csrw    0x305, t0                   # mtvec
    li      t0, -1
    csrw    0x3b0, t0                   # pmpaddr0
    li      t0, 0x1f
    csrw    0x3a0, t0                   # pmpcfg0: NAPOT, X W R
    li      t0, 0xb1ff
    csrw    0x302, t0                   # medeleg: all but ecall from S and M
    li      t0, 0x222
    csrw    0x303, t0                   # mideleg
    li      t0, 7
    csrw    0x306, t0                   # mcounteren
    li      t0, 0xa0000000
    csrw    0x31a, t0                   # menvcfgh: STCE, ADUE
    li      t0, -1
    csrw    stimecmph, t0
    csrw    satp, zero
    li      t0, 0x1800
    csrc    0x300, t0                   # mstatus.MPP: S
    li      t0, 0x0800
    csrs    0x300, t0
    la      t0, guest
    lw      t0, 0(t0)
    csrw    0x341, t0                   # mepc
    li      t0, 0
    .word   0x30200073                  # mret

# An ecall from S.  Anything else is a mistake of the test: stop here, too.
    .balign 4
m_trap:
    csrw    0x340, t0                   # mscratch
    csrr    t0, 0x342                   # mcause
    addi    t0, t0, -9
    bnez    t0, stop
    csrr    t0, 0x341
    addi    t0, t0, 4
    csrw    0x341, t0
    li      t0, 0x53525354              # SRST: the kernel has ended
    beq     a7, t0, stop
    li      a0, 0
    li      t0, 1                       # putchar: legacy, a1 stays
    beq     a7, t0, back
    li      a1, 0
    li      t0, 0x4442434e              # DBCN
    beq     a7, t0, back
    li      a0, -2
back:
    csrr    t0, 0x340
    .word   0x30200073                  # mret
stop:
    li      t0, 0x80201000              # tohost: 1, the test has ended
    li      a0, 1
    sw      a0, 0(t0)
1:  j       1b
