# Traps that a testing kernel causes on purpose.
#
# The kernel says which trap it expects and what to do when it comes.  The trap is
# recorded, and the test goes on.  A trap that was not expected is a panic.

    .equ EXPECT_SKIP, 0                 # continue after the instruction
    .equ EXPECT_RETURN, 1               # continue where ra says: a call that faulted
    .equ EXPECT_FIX, 2                  # set the entry as requested, and try again

# EXPECT action [, entry, value]: expects one trap.  Registers: not t0.
.macro EXPECT action, pte=zero, value=zero
    sw      \pte, expect_pte, t0
    sw      \value, expect_value, t0
    sw      zero, expect_cause, t0
    sw      zero, expect_stval, t0
    li      t0, \action + 1             # 0: nothing is expected
    sw      t0, expect_action, t1
.endm

# EXPECTED cause, value, "what": checks that this trap has come, and no other.  As a call.
.macro EXPECTED cause, value, text
    mv      a1, \value
    li      a0, \cause
    call    expected
    CHECK   a0, "\text"
.endm

    .text

# expected(cause, value) -> 1 if exactly this trap has been taken, once
expected:
    lw      t0, expect_action
    lw      t1, expect_cause
    lw      t2, expect_stval
    seqz    t0, t0
    sub     t1, t1, a0
    seqz    t1, t1
    sub     t2, t2, a1
    seqz    t2, t2
    and     t0, t0, t1
    and     a0, t0, t2
    ret

# trap(frame, cause, value):
#   1. A trap that was not expected: panic.
#   2. Record it, and expect no other.
#   3. Change what caused it: the pc, or the entry.
trap:
    PROLOGUE
    lw      t0, expect_action           # 1
    beqz    t0, panic_trap
    sw      a1, expect_cause, t1        # 2
    sw      a2, expect_stval, t1
    sw      zero, expect_action, t1

    addi    t0, t0, -1                  # 3
    beqz    t0, 1f
    li      t1, EXPECT_RETURN
    beq     t0, t1, 2f

    mv      s0, a2
    lw      a0, expect_pte
    lw      a1, expect_value
    SET_PTE a0, a1
    mv      a0, s0
    FLUSH_TLB_PAGE a0
    EPILOGUE

1:  lw      t1, FRAME_PC(a0)
    addi    t1, t1, 4
    sw      t1, FRAME_PC(a0)
    EPILOGUE

2:  lw      t1, FRAME_RA(a0)
    sw      t1, FRAME_PC(a0)
    EPILOGUE

    .bss
    .balign 4
expect_action:
    .space  4
expect_pte:
    .space  4
expect_value:
    .space  4
expect_cause:
    .space  4
expect_stval:
    .space  4
