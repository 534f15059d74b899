# The page allocator: single pages, from a list of the free ones.
#
# Pages come zeroed.  Nothing here is called in interrupt handlers, so interrupts
# need not be turned off.

    .equ PAGE_SIZE, 4096
    .equ PAGE_SHIFT, 12

    .text

# page_init(start, end): the pages from start up to end are free.
page_init:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    # From the top down, so that the lowest page is given out first and
    # addresses in a memory dump grow with time.
    li      s2, PAGE_SIZE
1:  sub     s1, s1, s2
    bltu    s1, s0, 2f
    mv      a0, s1
    call    page_free
    j       1b
2:  EPILOGUE

# page_alloc() -> a page full of zeros, or 0 if there is none.
page_alloc:
    la      t0, page_list
    lw      a0, 0(t0)
    beqz    a0, 2f
    lw      t1, 0(a0)
    sw      t1, 0(t0)
    la      t0, page_count
    lw      t1, 0(t0)
    addi    t1, t1, -1
    sw      t1, 0(t0)

    # Zero it, four words at a time.  The next page must not see what the last owner
    # of this page left in it.
    li      t0, PAGE_SIZE
    add     t0, a0, t0
    mv      t1, a0
1:  sw      zero, 0(t1)
    sw      zero, 4(t1)
    sw      zero, 8(t1)
    sw      zero, 12(t1)
    addi    t1, t1, 16
    bltu    t1, t0, 1b
2:  ret

# page_free(page)
page_free:
    slli    t0, a0, 32 - PAGE_SHIFT
    bnez    t0, 1f
    la      t0, page_list
    lw      t1, 0(t0)
    sw      t1, 0(a0)
    sw      a0, 0(t0)
    la      t0, page_count
    lw      t1, 0(t0)
    addi    t1, t1, 1
    sw      t1, 0(t0)
    ret
1:  PANIC   "page_free: not a page"

# page_copy(to, from): one whole page.
page_copy:
    li      t0, PAGE_SIZE
    add     t0, a1, t0
1:  lw      t1, 0(a1)
    lw      t2, 4(a1)
    lw      t3, 8(a1)
    lw      t4, 12(a1)
    sw      t1, 0(a0)
    sw      t2, 4(a0)
    sw      t3, 8(a0)
    sw      t4, 12(a0)
    addi    a0, a0, 16
    addi    a1, a1, 16
    bltu    a1, t0, 1b
    ret

    .bss
    .balign 4
page_list:                              # the first free page
    .space  4
page_count:                             # how many there are
    .space  4
