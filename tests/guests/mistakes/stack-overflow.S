# A recursion that does not end comes down through the data into the code.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        li      a0, 5
        call    factorial
        li      a7, 8                   # SBI: shutdown
        ecall

factorial:
        addi    sp, sp, -16
        sw      ra, 0(sp)
        sw      a0, 4(sp)
        addi    a0, a0, -1
        call    factorial               # 1 is never looked for
        lw      t0, 4(sp)
        mul     a0, a0, t0
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret

        .balign 4
handler:
        j       handler

        .bss
        .balign 16
stack:  .space  4096
stack_top:
