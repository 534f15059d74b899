# The kernel reads a user's buffer without setting SUM.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, root
        li      t1, 0x200000cf          # V R W X A D: the kernel's 4 MiB, where it is
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)
        la      t1, pages               # a user's page at 0
        srli    t1, t1, 2
        ori     t1, t1, 1
        sw      t1, 0(s0)
        la      t0, user
        srli    t0, t0, 2
        ori     t0, t0, 0xdf            # V R W X U A D
        la      t1, pages
        sw      t0, 0(t1)
        srli    t0, s0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        csrw    sepc, zero
        li      t0, 1 << 8
        csrc    sstatus, t0             # SPP: to U
        sret

        .balign 4
handler:
        csrr    t0, scause
        li      t1, 8                   # an ecall from U: print the string at a0
        bne     t0, t1, panic
        mv      s0, a0
next:   lbu     a0, 0(s0)
        beqz    a0, done
        li      a7, 1                   # SBI: console putchar
        ecall
        addi    s0, s0, 1
        j       next
done:   li      a7, 8                   # SBI: shutdown
        ecall
panic:  li      a0, '#'
        li      a7, 1
        ecall
        j       .

        .data
        .balign 4096
root:   .space  4096
pages:  .space  4096
user:   li      a0, 16                  # the string, in the user's own address space
        ecall
        j       .
        .balign 16
        .asciz  "from a user\n"
        .bss
        .balign 16
        .space  1024
stack_top:
