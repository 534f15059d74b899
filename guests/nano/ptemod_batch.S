# nano/ptemod_batch: entries of page tables are changed in batches of 1, 2, 4, up
# to 2048, with one flush for each batch.  Iterations are entries, so a line shows what
# one entry costs in a batch of the size that is the line's last number.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ LARGEST, 2048                  # two tables
    .equ COUNT, 4096                    # entries in a measurement, whatever the batch
    .equ FLAGS, PTE_LEAF | PTE_R | PTE_W

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    tables_init
    li      s0, 1
    li      s1, LARGEST
1:  NANO    ptemod_batch, COUNT, changes, no_changes, touch, s0
    # The last batch gave all pages the second frame, since the number of batches is
    # even.  Reading the pages makes the TLB remember that.  One more batch gives them the
    # first frame.
    mv      a0, s0
    li      a1, 2
    call    unlike
    add     s2, s2, a0
    mv      a0, s0
    mv      a1, s0
    call    changes
    mv      a0, s0
    li      a1, 1
    call    unlike
    add     s2, s2, a0
    slli    s0, s0, 1
    bgeu    s1, s0, 1b
    CHECK_EQUAL s2, 0, "each page shows the frame that it was given last"
    call    checks_failed
    EPILOGUE

# Two tables, one behind the other, so that their entries are one array; and two
# frames with different contents.  From here on s2 counts the pages seen wrong.
tables_init:
    addi    sp, sp, -16
    sw      ra, 12(sp)
    lw      s0, nano_root
    li      t2, (NANO_VA >> SUPERPAGE_SHIFT) * 4
    add     s0, s0, t2
    la      s1, tables
    li      s2, 2
1:  mv      a0, s1
    PT_ALLOC a0
    mv      a0, s0
    srli    a1, s1, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    ori     a1, a1, PTE_V
    SET_PGD a0, a1
    addi    s0, s0, 4
    li      t0, PAGE_SIZE
    add     s1, s1, t0
    addi    s2, s2, -1
    bnez    s2, 1b

    li      a0, 1
    call    frame
    sw      a0, first, t0
    li      a0, 2
    call    frame
    sw      a0, second, t0
    li      a0, LARGEST                 # so that no entry is missing when it is first used
    li      a1, LARGEST
    call    changes
    li      s2, 0
    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret

# touch(batch): access it, so that a VMM with tables of its own sees that it is in use.
touch:
    li      t0, NANO_VA
    li      t1, PAGE_SIZE
1:  lw      t2, 0(t0)
    add     t0, t0, t1
    addi    a0, a0, -1
    bnez    a0, 1b
    ret

# frame(word) -> an entry for a new page that begins with the word
frame:
    PROLOGUE
    mv      s0, a0
    call    page_alloc
    sw      s0, 0(a0)
    srli    a0, a0, PAGE_SHIFT
    slli    a0, a0, PTE_PPN_SHIFT
    ori     a0, a0, FLAGS
    EPILOGUE

# unlike(batch, word) -> how many of its pages do not begin with the word
unlike:
    li      t0, NANO_VA
    li      t1, PAGE_SIZE
    mv      t3, a0
    li      a0, 0
1:  lw      t4, 0(t0)
    sub     t4, t4, a1
    snez    t4, t4
    add     a0, a0, t4
    add     t0, t0, t1
    addi    t3, t3, -1
    bnez    t3, 1b
    ret

# CHANGES name, ...: makes a function name(entries, batch).  It sets all entries of the batch to the first frame, then
# all to the second, and so on until s0 entries have been set.
.macro CHANGES name, enter, set, leave, flush
OPERATION \name
    mv      s2, a1                      # batch
    lw      s4, second
    lw      s5, first
    xor     s5, s5, s4
1:  xor     s4, s4, s5
    la      s3, tables
    slli    t2, s2, 2
    add     s1, s3, t2                  # behind the last entry
    \enter
2:  mv      a0, s3
    mv      a1, s4
    \set
    addi    s3, s3, 4
    bltu    s3, s1, 2b
    \leave
    \flush
    sub     s0, s0, s2
    bnez    s0, 1b
    EPILOGUE
.endm

CHANGES changes, LAZY_ENTER, "SET_PTE a0, a1", LAZY_LEAVE, FLUSH_TLB
CHANGES no_changes

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .bss
    .balign 4096
tables:
    .space  4 * LARGEST
first:                                  # what entries are set to, in turn
    .space  4
second:
    .space  4
    .text

    NANO_END
