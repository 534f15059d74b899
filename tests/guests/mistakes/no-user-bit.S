# The kernel goes to U by a page whose entry lacks U.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, root
        li      t1, 0x200000cf          # V R W X A D: the first 4 MiB, kernel and user
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)
        srli    t0, s0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        la      t0, user
        csrw    sepc, t0
        li      t0, 1 << 8
        csrc    sstatus, t0             # SPP: to U
        sret

        .balign 4
handler:
        csrr    t0, scause
        li      t1, 8
        bne     t0, t1, panic
        li      a7, 8                   # SBI: shutdown
        ecall
panic:  li      a7, 0x53525354          # SBI: system reset, for a failure
        li      a6, 0
        li      a0, 0
        li      a1, 1
        ecall

        .balign 4096
user:   li      a7, 1
        ecall

        .data
        .balign 4096
root:   .space  4096
        .bss
        .balign 16
        .space  1024
stack_top:
