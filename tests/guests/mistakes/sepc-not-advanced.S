# The handler of system calls returns to the ecall itself.
        .globl _start
_start: la      sp, stack_top
        csrw    sscratch, sp
        la      t0, handler
        csrw    stvec, t0
        la      t0, user
        csrw    sepc, t0
        li      t0, 1 << 8
        csrc    sstatus, t0             # SPP: to U
        sret

        .balign 4
handler:
        csrrw   sp, sscratch, sp
        addi    sp, sp, -16
        sw      t0, 0(sp)
        csrr    t0, scause
        addi    t0, t0, -8
        bnez    t0, panic
        lw      t0, calls
        addi    t0, t0, 1
        sw      t0, calls, t1
        lw      t0, 0(sp)
        addi    sp, sp, 16
        csrrw   sp, sscratch, sp
        sret
panic:  j       panic

user:   li      a7, 64
        ecall
        li      a7, 93
        ecall

        .data
calls:  .word   0
        .bss
        .balign 16
        .space  1024
stack_top:
