# nano/cold: code that is executed for the first time, and the same code once more.
#
# Straight-line blocks, each other than all the rest, of as many instructions as a
# translator takes at a time.  What is counted is blocks.  The last number says which
# pass it is: in the first one a VMM meets the code, in the second it should be warm.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ BLOCKS, 1024

    .text

# blocks() -> a0.  Each block adds, flips and rotates by numbers of its own; the
# assembler computes the answer along with it.
blocks:
    li      a0, 0
    .set    answer, 0
    .set    k, 0
    .rept   BLOCKS
    addi    a0, a0, (k * 7) & 0x7ff
    xori    a0, a0, (k * 13) & 0x7ff
    slli    t0, a0, 5
    srli    t1, a0, 27
    or      a0, t0, t1
    addi    a0, a0, (k * 31) & 0x7ff
    xori    a0, a0, (k * 3) & 0x7ff
    slli    t0, a0, 11
    srli    t1, a0, 21
    or      a0, t0, t1
    addi    a0, a0, 1
    j       1f
1:
    .set    answer, (answer + ((k * 7) & 0x7ff)) & 0xffffffff
    .set    answer, answer ^ ((k * 13) & 0x7ff)
    .set    answer, ((answer << 5) | (answer >> 27)) & 0xffffffff
    .set    answer, (answer + ((k * 31) & 0x7ff)) & 0xffffffff
    .set    answer, answer ^ ((k * 3) & 0x7ff)
    .set    answer, ((answer << 11) | (answer >> 21)) & 0xffffffff
    .set    answer, (answer + 1) & 0xffffffff
    .set    k, k + 1
    .endr
    ret

# main() -> the machine's exit code:
#   1. What looking at the clock takes, when that is warm itself.
#   2. The two passes.
#   3. Print, without 1.
main:
    PROLOGUE
    call    nano_init
    la      a0, nano_nothing            # 1
    call    nano_time
    la      a0, nano_nothing
    call    nano_time
    mv      s0, a0

    la      s5, blocks                  # 2
    mv      a0, s5
    call    nano_time
    mv      s1, a0
    mv      s2, a1
    lw      t0, nano_answer
    sw      t0, first_answer, t1
    mv      a0, s5
    call    nano_time
    mv      s3, a0
    mv      s4, a1

    sltu    t0, s1, s0                  # 3
    sub     a2, s1, s0
    sub     a3, s2, t0
    li      a4, 1
    call    report
    sltu    t0, s3, s0
    sub     a2, s3, s0
    sub     a3, s4, t0
    li      a4, 2
    call    report

    lw      t0, first_answer
    CHECK_EQUAL t0, answer, "the first pass computes what it should"
    lw      t0, nano_answer
    CHECK_EQUAL t0, answer, "and so does the second"
    call    checks_failed
    EPILOGUE

# report(-, -, cycles, their upper half, pass)
report:
    la      a0, name
    li      a1, BLOCKS
    j       nano_report

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .section .rodata
name:
    .asciz  "cold"

    .bss
    .balign 4
first_answer:
    .space  4
    .text

    NANO_END
