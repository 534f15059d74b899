# Two root tables with two ASIDs map VA to two frames.  Switching between them flushes
# nothing; each address space must see its own frame.

    .text

test_address_spaces:
    addi    sp, sp, -32
    sw      ra, 28(sp)

    ENTRY   LEAF | PTE_R | PTE_W
    call    page_alloc
    sw      a0, 24(sp)                  # the other frame
    call    page_alloc
    sw      a0, 20(sp)                  # the other root
    mv      a1, s0                      # the kernel's part is the same
    call    page_copy
    lw      a0, 20(sp)
    li      a1, 0
    srli    t0, s3, SUPERPAGE_SHIFT - 2 # but VA's table its own
    add     a0, a0, t0
    SET_PGD a0, a1
    lw      a0, 20(sp)
    PT_ALLOC a0
    lw      a0, 20(sp)
    mv      a1, s3
    lw      a2, 24(sp)
    li      a3, LEAF | PTE_R | PTE_W
    call    map_page

    li      t0, 0x1111
    sw      t0, 0(s2)
    lw      t1, 24(sp)
    li      t0, 0x2222
    sw      t0, 0(t1)

    lw      t0, 20(sp)
    srli    a0, t0, PAGE_SHIFT
    li      t0, SATP_MODE_SV32 | 2 << SATP_ASID_SHIFT
    or      s5, a0, t0
    srli    a0, s0, PAGE_SHIFT
    li      t0, SATP_MODE_SV32 | 1 << SATP_ASID_SHIFT
    or      t0, a0, t0
    sw      t0, 16(sp)

    # There, back and there again, adding up what each shows: 1111 + 2222 twice.
    sw      zero, scratch, t0
    li      t3, 2
    sw      t3, 12(sp)
1:  lw      a0, 16(sp)
    WRITE_SATP a0
    lw      t3, 0(s3)
    lw      t1, scratch
    add     t1, t1, t3
    sw      t1, scratch, t2
    mv      a0, s5
    WRITE_SATP a0
    lw      t3, 0(s3)
    lw      t1, scratch
    add     t1, t1, t3
    sw      t1, scratch, t2
    lw      t3, 12(sp)
    addi    t3, t3, -1
    sw      t3, 12(sp)
    bnez    t3, 1b
    lw      t1, scratch
    li      t0, 2 * (0x1111 + 0x2222)
    sub     a0, t1, t0
    seqz    a0, a0
    CHECK   a0, "two address spaces, two frames"

    lw      ra, 28(sp)
    addi    sp, sp, 32
    ret
