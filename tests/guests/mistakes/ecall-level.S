# The handler looks for an ecall from S, and the call comes from U.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      t0, user
        csrw    sepc, t0
        li      t0, 1 << 8
        csrc    sstatus, t0             # SPP: to U
        sret

        .balign 4
handler:
        csrr    t0, scause
        li      t1, 9                   # ecall
        beq     t0, t1, call
        li      a0, '?'
        li      a7, 1                   # SBI: console putchar
        ecall
dead:   j       dead
call:   li      a7, 8                   # SBI: shutdown
        ecall

user:   li      a7, 93
        ecall

        .bss
        .balign 16
        .space  1024
stack_top:
