# The timer's handler counts and returns: the interrupt stays pending.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        li      t0, 1 << 5
        csrw    sie, t0
        rdtime  a0
        addi    a0, a0, 100
        li      a1, 0
        li      a7, 0                   # SBI: set timer
        ecall
        csrsi   sstatus, 2
        li      s0, 100000
work:   addi    s0, s0, -1
        bnez    s0, work
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        addi    sp, sp, -16
        sw      t0, 0(sp)
        sw      t1, 4(sp)
        la      t0, ticks
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        lw      t1, 4(sp)
        lw      t0, 0(sp)
        addi    sp, sp, 16
        sret

        .data
ticks:  .word   0
        .bss
        .balign 16
        .space  1024
stack_top:
