# What happens when each permission is missing.

    .text

test_protection:
    addi    sp, sp, -16
    sw      ra, 12(sp)

    ENTRY   LEAF | PTE_X
    EXPECT  EXPECT_SKIP
    lw      t3, 0(s3)
    EXPECTED EXC_LOAD_PAGE, s3, "a page for execution only cannot be read"
    addi    a0, s3, 64
    jalr    a0
    addi    a0, a0, -42
    seqz    a0, a0
    CHECK   a0, "but run"

    # S may not access U pages unless SUM is set, and may never execute them.
    ENTRY   LEAF | PTE_R | PTE_W | PTE_X | PTE_U
    EXPECT  EXPECT_SKIP
    lw      t3, 0(s3)
    EXPECTED EXC_LOAD_PAGE, s3, "S cannot read a page of U"
    EXPECT  EXPECT_SKIP
    sw      zero, 0(s3)
    EXPECTED EXC_STORE_PAGE, s3, "nor write it"

    USER_ACCESS_BEGIN
    li      t1, MAGIC
    sw      t1, 8(s3)
    lw      s5, 8(s3)
    USER_ACCESS_END
    li      t1, MAGIC
    sub     a0, s5, t1
    seqz    a0, a0
    CHECK   a0, "unless it asks to"

    USER_ACCESS_BEGIN
    addi    s5, s3, 64
    EXPECT  EXPECT_RETURN
    jalr    s5
    USER_ACCESS_END
    EXPECTED EXC_FETCH_PAGE, s5, "but never execute it"

    # The neighbour has no entry; an access that ends at the border must work.
    ENTRY   LEAF | PTE_R | PTE_W
    li      t0, PAGE_SIZE
    add     s5, s3, t0
    sw      zero, -4(s5)
    EXPECT  EXPECT_SKIP
    sw      zero, 0(s5)
    EXPECTED EXC_STORE_PAGE, s5, "the page ends where it ends"

    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret
