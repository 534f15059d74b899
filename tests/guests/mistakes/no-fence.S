# A page is mapped to another frame, and nobody tells the TLB.
        .equ    WINDOW, 0x40000000
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      s0, root
        li      t1, 0x200000cf          # V R W X A D: the kernel's 4 MiB, where it is
        li      t2, 512 * 4
        add     t2, s0, t2
        sw      t1, 0(t2)
        la      t1, pages               # a table for the window, below root entry 256
        srli    t1, t1, 2
        ori     t1, t1, 1
        sw      t1, 256 * 4(s0)
        la      a0, first
        call    map
        srli    t0, s0, 12
        li      t1, 1 << 31
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        li      s1, WINDOW
        lw      a1, 0(s1)               # the first frame's word
        la      a0, second
        call    map                     # and now the second's: sfence.vma is forgotten
        lw      a2, 0(s1)
        li      t0, 2
        bne     a2, t0, fail
        li      a7, 8                   # SBI: shutdown
        ecall

map:    srli    t0, a0, 2               # the frame at a0 becomes the window's page
        ori     t0, t0, 0xc7            # V R W A D
        la      t1, pages
        sw      t0, 0(t1)
        ret

fail:   li      a7, 0x53525354          # SBI: system reset, for a failure
        li      a6, 0
        li      a0, 0
        li      a1, 1
        ecall
        .balign 4
handler:
        j       fail

        .data
        .balign 4096
root:   .space  4096
pages:  .space  4096
first:  .word   1
        .space  4092
second: .word   2
        .space  4092
        .bss
        .balign 16
        .space  1024
stack_top:
