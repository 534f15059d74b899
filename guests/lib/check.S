# For a kernel that tests: one line for each check, and at the end how many failed.

# CHECK reg, "what": prints what holds if reg is 1, or that it fails.  As a call.
.macro CHECK reg, text
    .pushsection .rodata
98: .asciz  "\text"
    .popsection
    mv      a1, \reg
    la      a0, 98b
    call    check
.endm

    .text

# check(what, holds)
check:
    PROLOGUE
    mv      s0, a0
    bnez    a1, 1f
    lw      t0, check_failures
    addi    t0, t0, 1
    sw      t0, check_failures, t1
    PRINT   "FAIL "
    j       2f
1:  PRINT   "ok   "
2:  mv      a0, s0
    call    print
    PRINT   "\n"
    EPILOGUE

# checks_failed() -> 1 if any check has failed, else 0: the machine's exit code
checks_failed:
    lw      a0, check_failures
    snez    a0, a0
    ret

    .bss
    .balign 4
check_failures:
    .space  4
