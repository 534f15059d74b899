# The three kinds of page fault, each taken, fixed by the handler, and retried.

    .text

test_faults:
    addi    sp, sp, -16
    sw      ra, 12(sp)

    ENTRY   0
    li      t0, MAGIC
    sw      t0, 16(s2)
    ori     t2, s4, LEAF | PTE_R
    addi    s5, s3, 16
    EXPECT  EXPECT_FIX, s1, t2
    lw      t3, 0(s5)
    sw      t3, scratch, t0
    EXPECTED EXC_LOAD_PAGE, s5, "a load page fault, fixed"
    lw      t3, scratch
    li      t0, MAGIC
    sub     a0, t3, t0
    seqz    a0, a0
    CHECK   a0, "and the load has its value"

    # The entry may be read but not written; the fix adds W.
    ori     t2, s4, LEAF | PTE_R | PTE_W
    addi    s5, s3, 32
    EXPECT  EXPECT_FIX, s1, t2
    li      t3, MAGIC + 1
    sw      t3, 0(s5)
    EXPECTED EXC_STORE_PAGE, s5, "a store page fault, fixed"
    lw      t0, 32(s2)
    li      t1, MAGIC + 1
    sub     a0, t0, t1
    seqz    a0, a0
    CHECK   a0, "and the store has arrived"

    # An atomic operation that may read but not write is a store that faults.
    ENTRY   LEAF | PTE_R
    addi    s5, s3, 32
    EXPECT  EXPECT_SKIP
    amoadd.w t3, t3, (s5)
    EXPECTED EXC_STORE_PAGE, s5, "an atomic operation needs W"

    # A function that returns 42, in a page without X; the fix adds X.  fence.i:
    # what was stored as data is fetched as instructions from here on.
    la      t0, answer
    lw      t1, 0(t0)
    lw      t2, 4(t0)
    sw      t1, 64(s2)
    sw      t2, 68(s2)
    fence.i
    ori     t2, s4, LEAF | PTE_R | PTE_X
    addi    s5, s3, 64
    EXPECT  EXPECT_FIX, s1, t2
    jalr    s5
    sw      a0, scratch, t0
    EXPECTED EXC_FETCH_PAGE, s5, "an instruction page fault, fixed"
    lw      t0, scratch
    addi    t0, t0, -42
    seqz    a0, t0
    CHECK   a0, "and the instructions were run"

    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret

answer:
    li      a0, 42
    ret
