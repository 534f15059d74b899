# Accessed and dirty bits.  If one is clear, a hart either sets it or takes a page fault
# (the manual allows both).  In the second case EXPECT_FIX sets it, so the kernel prints
# the same lines on both kinds of harts.

    .text

test_accessed_dirty:
    addi    sp, sp, -16
    sw      ra, 12(sp)

    ENTRY   PTE_V | PTE_R | PTE_W
    ori     t2, s4, PTE_V | PTE_R | PTE_W | PTE_A
    EXPECT  EXPECT_FIX, s1, t2
    lw      t3, 0(s3)
    READ_PTE a1, s1
    andi    a1, a1, PTE_A | PTE_D
    addi    a1, a1, -PTE_A
    seqz    a0, a1
    CHECK   a0, "a load sets accessed, not dirty"

    ori     t2, s4, LEAF | PTE_R | PTE_W
    EXPECT  EXPECT_FIX, s1, t2
    sw      zero, 0(s3)
    READ_PTE a1, s1
    andi    a1, a1, PTE_A | PTE_D
    addi    a1, a1, -(PTE_A | PTE_D)
    seqz    a0, a1
    CHECK   a0, "a store sets dirty"

    # A store that faults because W is missing sets no bit.
    ENTRY   PTE_V | PTE_R
    EXPECT  EXPECT_SKIP
    sw      zero, 0(s3)
    READ_PTE a1, s1
    andi    a1, a1, PTE_A | PTE_D
    seqz    a0, a1
    CHECK   a0, "a store that faults sets neither"

    sw      zero, expect_action, t0
    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret

# Entries that the manual reserves must act like invalid ones.
test_invalid_entries:
    addi    sp, sp, -16
    sw      ra, 12(sp)

    ENTRY   LEAF | PTE_W
    EXPECT  EXPECT_SKIP
    sw      zero, 0(s3)
    EXPECTED EXC_STORE_PAGE, s3, "W without R is reserved"

    ENTRY   PTE_V
    EXPECT  EXPECT_SKIP
    lw      t3, 0(s3)
    EXPECTED EXC_LOAD_PAGE, s3, "a pointer in the last level leads nowhere"

    # A superpage whose frame is no multiple of 4 MiB.
    mv      a0, s0
    li      a1, BIG_VA
    li      a2, UPPER + PAGE_SIZE
    li      a3, LEAF | PTE_R | PTE_W
    call    map_superpage
    FLUSH_TLB
    li      s5, BIG_VA
    EXPECT  EXPECT_SKIP
    lw      t3, 0(s5)
    EXPECTED EXC_LOAD_PAGE, s5, "a misaligned superpage faults"

    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret
