# Bit 0 of stvec is set, for direct mode: but it means vectored.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        addi    t0, t0, 1               # the mode
        csrw    stvec, t0
        li      t0, 1 << 5
        csrw    sie, t0                 # the timer's interrupt
        rdtime  a0
        addi    a0, a0, 100
        li      a1, 0
        li      a7, 0                   # SBI: set timer
        ecall
        csrsi   sstatus, 2
        li      t0, 0
wait:   addi    t0, t0, 1               # busy until the first tick
        lw      t1, ticks
        beqz    t1, wait
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        addi    sp, sp, -16
        sw      t0, 0(sp)
        sw      t1, 4(sp)
        sw      a7, 8(sp)
        la      t0, ticks
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        li      t0, -1
        csrw    stimecmp, t0            # no more ticks
        csrw    stimecmph, t0
        lw      t0, 0(sp)
        lw      t1, 4(sp)
        lw      a7, 8(sp)
        addi    sp, sp, 16
        sret

        .data
ticks:  .word   0
        .bss
        .balign 16
        .space  4096
stack_top:
