# Sv32 tables: finding the entry of a page, making the tables on the way.
#
#    31        22 21        12 11          0
#   +------------+------------+-------------+    vpn1 picks an entry of the root,
#   |    vpn1    |    vpn0    |   offset    |    vpn0 one of the table it points to;
#   +------------+------------+-------------+    a leaf in the root maps 4 MiB.
#
# Physical memory is mapped to itself, so a table is edited where it is.

    .equ SUPERPAGE_SHIFT, 22
    .equ SUPERPAGE_SIZE, 1 << 22
    .equ PTE_FLAGS, 0x3ff

    .text

# pte_of(root, va, make) -> address of va's entry in the second level, or 0 if
# there is no table for it, and none could or should be made.
pte_of:
    PROLOGUE
    mv      s1, a1
    srli    t1, a1, SUPERPAGE_SHIFT
    slli    t1, t1, 2
    add     s0, a0, t1                  # the root's entry
    READ_PTE t2, s0
    andi    t1, t2, PTE_V
    bnez    t1, 1f

    li      a0, 0
    beqz    a2, 2f
    call    page_alloc
    beqz    a0, 2f
    mv      s2, a0
    PT_ALLOC a0
    srli    a1, s2, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    ori     a1, a1, PTE_V               # V alone: a pointer to the next level
    mv      a0, s0
    SET_PGD a0, a1
    READ_PTE t2, s0

1:  srli    t2, t2, PTE_PPN_SHIFT
    slli    t2, t2, PAGE_SHIFT
    slli    t1, s1, 32 - SUPERPAGE_SHIFT
    srli    t1, t1, 32 - SUPERPAGE_SHIFT + PAGE_SHIFT
    slli    t1, t1, 2
    add     a0, t2, t1
2:  EPILOGUE

# map_page(root, va, pa, flags) -> 0, or -1 if out of memory.  Flushes nothing.
map_page:
    PROLOGUE
    mv      s0, a2
    mv      s1, a3
    li      a2, 1
    call    pte_of
    beqz    a0, 1f
    srli    a1, s0, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    or      a1, a1, s1
    SET_PTE a0, a1
    li      a0, 0
    j       2f
1:  li      a0, -1
2:  EPILOGUE

# map_superpage(root, va, pa, flags): 4 MiB by one entry of the root.
map_superpage:
    srli    t1, a1, SUPERPAGE_SHIFT
    slli    t1, t1, 2
    add     a0, a0, t1
    srli    a1, a2, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    or      a1, a1, a3
    SET_PGD a0, a1
    ret
