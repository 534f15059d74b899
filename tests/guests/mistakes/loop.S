# The loop counts down in t1 and looks at t0.
        .globl _start
_start: la      sp, stack_top
        li      t0, 1000
        li      t1, 1000
        la      s0, buffer
clear:  sb      zero, 0(s0)
        addi    t1, t1, -1
        bnez    t0, clear
        li      a7, 8                   # SBI: shutdown
        ecall

        .bss
buffer: .space  1000
        .balign 16
        .space  1024
stack_top:
