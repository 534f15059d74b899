# satp is given the table's address, where its page number belongs.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, root
        li      t1, 0x200000cf          # V R W X A D: the kernel's 4 MiB, where it is
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)
        li      t0, 1 << 31
        or      t0, t0, s0
        csrw    satp, t0
        sfence.vma
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        j       handler

        .data
        .balign 4096
root:   .space  4096
        .bss
        .balign 16
        .space  1024
stack_top:
