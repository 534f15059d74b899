# nano/ptemod: one entry of a page table is changed, from one frame to another,
# and the old translation is flushed.  Without the flush nobody could rely on
# the change.  The page is not accessed in between.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 10000
    .equ FLAGS, PTE_LEAF | PTE_R | PTE_W

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    li      a0, NANO_VA
    li      a1, 0
    li      a2, FLAGS
    call    nano_map
    li      a0, NANO_VA
    call    nano_pte
    sw      a0, entry, t0

    # Two frames that can be told apart.
    call    page_alloc
    li      t0, 1
    sw      t0, 0(a0)
    call    entry_of
    mv      s0, a0
    call    page_alloc
    li      t0, 2
    sw      t0, 0(a0)
    call    entry_of
    sw      s0, first, t0
    sw      a0, second, t0

    NANO    ptemod, COUNT, changes, no_changes, touch

    # One by one: each change is seen by the very next load.
    li      s1, 0
    li      s2, 8
    li      s3, NANO_VA
1:  li      a0, 1
    call    changes
    lw      t0, 0(s3)
    addi    t0, t0, -1
    seqz    t0, t0
    add     s1, s1, t0
    li      a0, 2
    call    changes
    lw      t0, 0(s3)
    addi    t0, t0, -2
    seqz    t0, t0
    add     s1, s1, t0
    addi    s2, s2, -1
    bnez    s2, 1b
    CHECK_EQUAL s1, 16, "each change is seen by the next load"
    call    checks_failed
    EPILOGUE

# touch(): access it, so that a VMM with tables of its own sees that the table is in use.
touch:
    li      t0, NANO_VA
    lw      t0, 0(t0)
    ret

# entry_of(page)
entry_of:
    srli    a0, a0, PAGE_SHIFT
    slli    a0, a0, PTE_PPN_SHIFT
    ori     a0, a0, FLAGS
    ret

# First and second frame in turn; s5 is the exclusive or of the two entries.
OPERATION changes
    lw      s2, entry
    li      s3, NANO_VA
    lw      s4, second
    lw      s5, first
    xor     s5, s5, s4
BODY
    xor     s4, s4, s5
    mv      a0, s2
    mv      a1, s4
    SET_PTE a0, a1
    mv      a0, s3
    FLUSH_TLB_PAGE a0
END

OPERATION no_changes
    lw      s2, entry
    li      s3, NANO_VA
    lw      s4, second
    lw      s5, first
    xor     s5, s5, s4
BODY
    xor     s4, s4, s5
    mv      a0, s2
    mv      a1, s4
    mv      a0, s3
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .bss
    .balign 4
entry:                                  # NANO_VA's
    .space  4
first:                                  # what it is set to, in turn
    .space  4
second:
    .space  4
    .text

    NANO_END
