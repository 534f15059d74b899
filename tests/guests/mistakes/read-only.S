# The page of the kernel's counter is mapped without W.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, root
        la      t1, low
        srli    t1, t1, 2
        ori     t1, t1, 1
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)               # the kernel's first 4 MiB, page by page
        la      s1, low
        li      t0, 0x20000000          # the first frame's number, where a PTE has it
        li      t3, 16
        ori     t0, t0, 0x4b            # V R X A: no W, for any of them
fill:   sw      t0, 0(s1)
        addi    t0, t0, 0x400
        addi    s1, s1, 4
        addi    t3, t3, -1
        bnez    t3, fill
        srli    t0, s0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        la      s2, counter
        lw      t0, 0(s2)
        addi    t0, t0, 1
        sw      t0, 0(s2)
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        j       handler

        .data
        .balign 4096
root:   .space  4096
low:    .space  4096
counter: .word  0
        .bss
        .balign 16
        .space  1024
stack_top:
