# Work that is counted, so that others can see how much was done.
#
# A round is sixteen divisions: they take many cycles and few instructions, so that much
# virtual time passes in a short run.

    .equ DIVISIONS, 16

    .text

# work(rounds): does so many rounds, at least one, and counts them in `rounds`.
work:
    lw      t0, rounds
    li      t1, 0x7fffffff
    li      t2, 1
1:  .rept   DIVISIONS
    divu    t1, t1, t2
    .endr
    addi    t0, t0, 1
    sw      t0, rounds, t3
    addi    a0, a0, -1
    bnez    a0, 1b
    ret

    .bss
    .balign 4
    .globl  rounds
rounds:
    .space  4                           # so far; wraps
    .text
