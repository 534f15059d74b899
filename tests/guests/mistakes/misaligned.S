# A word lies behind a string, where no word can be.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, limit
        lw      s1, 0(s0)
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        li      a0, '!'
        li      a7, 1                   # SBI: console putchar
        ecall
stop:   wfi
        j       stop

        .data
name:   .asciz  "limit"
limit:  .word   10
        .bss
        .balign 16
        .space  1024
stack_top:
