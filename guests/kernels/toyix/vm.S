# Address spaces: one root table for each process, with the kernel's part in each.
#
# Each slot of the process table has an ASID of its own, so a switch flushes
# nothing.  A space is flushed when it ends, before its ASID and frames are used
# again.  A and D are set from the start, because nobody looks at them.

    .equ PTE_LEAF, PTE_V | PTE_A | PTE_D
    .equ PTE_KERNEL, PTE_LEAF | PTE_R | PTE_W | PTE_X | PTE_G
    .equ PTE_KERNEL_TEXT, PTE_LEAF | PTE_R | PTE_X | PTE_G
    .equ PTE_KERNEL_DATA, PTE_LEAF | PTE_R | PTE_W | PTE_G
    .equ PTE_KERNEL_TABLE, PTE_LEAF | PTE_R | PTE_TABLE_W | PTE_G
    .equ PTE_USER_TEXT, PTE_LEAF | PTE_R | PTE_X | PTE_U
    .equ PTE_USER_DATA, PTE_LEAF | PTE_R | PTE_W | PTE_U

    .equ KERNEL_VPN1, KERNEL_BASE >> SUPERPAGE_SHIFT
    .equ KERNEL_VPN1_END, POOL_END >> SUPERPAGE_SHIFT

    .text

# vm_init(): make the kernel's own space, and turn paging on.  Its tables are
# part of the image: they are never freed, and take no page from the pool.
vm_init:
    PROLOGUE
    la      s0, kernel_root
    mv      a0, s0
    PT_ALLOC a0
    .if MAP_4K
    # These tables would otherwise come from the pool.
    la      s1, kernel_tables
    li      s2, KERNEL_VPN1
1:  mv      a0, s1
    PT_ALLOC a0
    slli    t0, s2, 2
    add     a0, s0, t0
    srli    a1, s1, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    ori     a1, a1, PTE_V
    SET_PGD a0, a1
    li      t0, PAGE_SIZE
    add     s1, s1, t0
    addi    s2, s2, 1
    li      t0, KERNEL_VPN1_END
    bltu    s2, t0, 1b

    LAZY_ENTER
    li      s1, KERNEL_BASE
2:  li      a3, PTE_KERNEL_TEXT
    la      t0, text_end
    bltu    s1, t0, 3f
    li      a3, PTE_KERNEL_DATA
    la      t0, kernel_root             # and perhaps tables may not be written either
    bltu    s1, t0, 3f
    la      t0, kernel_tables_end
    bgeu    s1, t0, 3f
    li      a3, PTE_KERNEL_TABLE
3:  mv      a0, s0
    mv      a1, s1
    mv      a2, s1
    call    map_page
    li      t0, PAGE_SIZE
    add     s1, s1, t0
    lw      t0, pool_end
    bltu    s1, t0, 2b
    LAZY_LEAVE
    .else
    li      s1, KERNEL_BASE
1:  mv      a0, s0
    mv      a1, s1
    mv      a2, s1
    li      a3, PTE_KERNEL
    call    map_superpage
    li      t0, SUPERPAGE_SIZE
    add     s1, s1, t0
    li      t0, POOL_END
    bltu    s1, t0, 1b
    .endif

    srli    a0, s0, PAGE_SHIFT          # ASID 0
    li      t0, SATP_MODE_SV32
    or      a0, a0, t0
    sw      a0, kernel_satp, t0
    call    vm_switch
    FLUSH_TLB
    EPILOGUE

# vm_switch(satp): use that address space.
vm_switch:
    lw      t0, current_satp
    beq     a0, t0, 1f
    sw      a0, current_satp, t0
    WRITE_SATP a0
1:  ret

# vm_new() -> the root table of a space with only the kernel in it, or 0.
vm_new:
    PROLOGUE
    call    page_alloc
    mv      s0, a0
    beqz    a0, 2f
    PT_ALLOC a0
    la      s1, kernel_root
    li      s2, KERNEL_VPN1
1:  slli    t1, s2, 2
    add     t2, s1, t1
    READ_PTE a1, t2
    slli    t1, s2, 2
    add     a0, s0, t1
    SET_PGD a0, a1
    addi    s2, s2, 1
    li      t1, KERNEL_VPN1_END
    bltu    s2, t1, 1b
2:  mv      a0, s0
    EPILOGUE

# vm_set(process, root): give the process this space, with its slot's ASID.
vm_set:
    sw      a1, P_ROOT(a0)
    lw      t0, P_SLOT(a0)
    addi    t0, t0, 1                   # 0 is the kernel's
    slli    t0, t0, SATP_ASID_SHIFT
    srli    t1, a1, PAGE_SHIFT
    or      t0, t0, t1
    li      t1, SATP_MODE_SV32
    or      t0, t0, t1
    sw      t0, P_SATP(a0)
    ret

# vm_fault(address) -> 0 if the running process may have a page there and now
# has one, else -1. Data and stack start out as zeros.
vm_fault:
    PROLOGUE
    mv      s0, a0
    beqz    tp, 3f
    lw      t0, P_DATA(tp)
    bltu    s0, t0, 1f
    lw      t0, P_BREAK(tp)
    bltu    s0, t0, 2f
1:  li      t0, STACK_LIMIT
    bltu    s0, t0, 3f
    li      t0, STACK_TOP
    bgeu    s0, t0, 3f

    # If the page exists already, the fault was for a missing permission.
2:  lw      a0, P_ROOT(tp)
    mv      a1, s0
    li      a2, 1
    call    pte_of
    beqz    a0, 3f
    mv      s1, a0
    READ_PTE t1, s1
    andi    t1, t1, PTE_V
    bnez    t1, 3f

    call    page_alloc
    beqz    a0, 3f
    srli    a1, a0, PAGE_SHIFT
    slli    a1, a1, PTE_PPN_SHIFT
    ori     a1, a1, PTE_USER_DATA
    mv      a0, s1
    mv      a2, s0
    SET_PTE_FLUSH a0, a1, a2
    li      a0, 0
    EPILOGUE
3:  li      a0, -1
    EPILOGUE

# vm_copy(to, from) -> 0; or -1 if out of memory, with a part copied.  Every page
# of U in the space `from` gets a copy at the same address in `to`.
vm_copy:
    PROLOGUE
    addi    sp, sp, -16
    sw      a0, 0(sp)
    sw      a1, 4(sp)
    LAZY_ENTER
    li      s0, 0                       # address
1:  lw      a0, 4(sp)
    mv      a1, s0
    li      a2, 0
    call    pte_of
    beqz    a0, 4f
    mv      s1, a0                      # entry; the table's others follow it
2:  READ_PTE s2, s1
    andi    t1, s2, PTE_V
    beqz    t1, 3f

    call    page_alloc
    beqz    a0, 5f
    mv      s3, a0
    srli    a1, s2, PTE_PPN_SHIFT
    slli    a1, a1, PAGE_SHIFT
    call    page_copy
    lw      a0, 0(sp)
    mv      a1, s0
    mv      a2, s3
    andi    a3, s2, PTE_FLAGS
    call    map_page
    beqz    a0, 3f
    mv      a0, s3
    call    page_free
    j       5f

3:  li      t1, PAGE_SIZE
    add     s0, s0, t1
    addi    s1, s1, 4
    slli    t1, s0, 32 - SUPERPAGE_SHIFT
    bnez    t1, 2b
    j       6f
4:  li      t1, SUPERPAGE_SIZE          # no table: skip what it would map
    add     s0, s0, t1
6:  bgez    s0, 1b                      # up to KERNEL_BASE, the sign bit
    LAZY_LEAVE
    fence.i                             # the child fetches what was stored here
    li      a0, 0
    j       7f
5:  LAZY_LEAVE
    li      a0, -1
7:  addi    sp, sp, 16
    EPILOGUE

# vm_free(root): all its pages and tables, unless it is 0.  Nobody is in it.
vm_free:
    PROLOGUE
    beqz    a0, 5f
    mv      s0, a0
    PT_RELEASE a0                       # first: then nothing uses what it points to
    mv      s1, s0                      # entry of the root
    li      t1, KERNEL_VPN1 * 4
    add     s2, s0, t1                  # behind the last one of U's
1:  READ_PTE s3, s1
    andi    t1, s3, PTE_V
    beqz    t1, 4f
    srli    s3, s3, PTE_PPN_SHIFT
    slli    s3, s3, PAGE_SHIFT          # table
    mv      s4, s3                      # entry of the table
    li      t1, PAGE_SIZE
    add     s5, s3, t1
2:  READ_PTE a0, s4
    andi    t1, a0, PTE_V
    beqz    t1, 3f
    srli    a0, a0, PTE_PPN_SHIFT
    slli    a0, a0, PAGE_SHIFT
    call    page_free
3:  addi    s4, s4, 4
    bltu    s4, s5, 2b
    mv      a0, s3
    PT_RELEASE a0
    mv      a0, s3
    call    page_free
4:  addi    s1, s1, 4
    bltu    s1, s2, 1b
    mv      a0, s0
    call    page_free
    FLUSH_TLB
5:  EPILOGUE

    .data
    .balign 4
pool_end:
    .word   POOL_END

    .bss
    .balign 4096
kernel_root:
    .space  4096
    .if MAP_4K
kernel_tables:
    .space  4096 * (KERNEL_VPN1_END - KERNEL_VPN1)
kernel_tables_end:
    .endif
kernel_satp:
    .space  4
current_satp:
    .space  4
