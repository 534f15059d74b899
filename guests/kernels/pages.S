# Sv32, as a kernel uses it: tables with superpages and pages, faults that are taken and
# fixed, protections, accessed and dirty bits, address spaces.  Prints `ok` or
# `FAIL` for each.
#
#   0x40000000  one page, mapped as each test needs it
#   0x40001000  its neighbour, never mapped
#   0x50000000  a superpage onto the upper 4 MiB of RAM
#   0x80000000  8 MiB of RAM, by two superpages, each address to itself

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/pages.S"
    .include "lib/paging.S"
    .include "lib/check.S"
    .include "lib/expect.S"

    .equ RAM, 0x80000000
    .equ UPPER, 0x80400000
    .equ POOL, 0x80040000               # free pages: behind the kernel
    .equ POOL_END, 0x80080000
    .equ VA, 0x40000000
    .equ BIG_VA, 0x50000000
    .equ LEAF, PTE_V | PTE_A | PTE_D    # what every ordinary leaf has
    .equ MAGIC, 0x1badcafe

# In all tests: s0 the root table, s1 the entry of VA, s2 the page's frame, s3 VA,
# s4 the entry's value for that frame without flags.

# ENTRY flags: set VA's entry to the frame with these flags, and flush it.
.macro ENTRY flags
    li      a0, \flags
    call    set_entry
.endm

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    li      a0, POOL
    li      a1, POOL_END
    call    page_init
    call    build
    call    test_superpage
    call    test_faults
    call    test_protection
    call    test_accessed_dirty
    call    test_invalid_entries
    call    test_address_spaces
    call    checks_failed
    EPILOGUE

set_entry:
    mv      t1, ra
    or      a1, s4, a0
    mv      a0, s1
    mv      s5, t1                      # SET_PTE may change t1
    SET_PTE a0, a1
    mv      a0, s3
    FLUSH_TLB_PAGE a0
    jr      s5

# Build the tables and turn paging on.  The kernel runs on as before,
# because each of its addresses is mapped to itself.
build:
    addi    sp, sp, -16
    sw      ra, 12(sp)
    call    page_alloc
    mv      s0, a0
    PT_ALLOC a0
    li      s3, VA

    mv      a0, s0
    li      a1, RAM
    li      a2, RAM
    li      a3, LEAF | PTE_R | PTE_W | PTE_X | PTE_G
    call    map_superpage
    mv      a0, s0
    li      a1, UPPER
    li      a2, UPPER
    li      a3, LEAF | PTE_R | PTE_W | PTE_G
    call    map_superpage
    mv      a0, s0
    li      a1, BIG_VA
    li      a2, UPPER
    li      a3, LEAF | PTE_R | PTE_W
    call    map_superpage

    call    page_alloc
    mv      s2, a0
    mv      a0, s0
    mv      a1, s3
    li      a2, 1
    call    pte_of
    mv      s1, a0
    srli    s4, s2, PAGE_SHIFT
    slli    s4, s4, PTE_PPN_SHIFT

    srli    a0, s0, PAGE_SHIFT
    li      t0, SATP_MODE_SV32
    or      a0, a0, t0
    WRITE_SATP a0
    FLUSH_TLB
    li      a0, 1
    CHECK   a0, "paging is on"
    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret

# One frame, two addresses: what is written through the far end of the superpage is
# read at the address that maps to itself.
test_superpage:
    PROLOGUE
    li      t0, BIG_VA + SUPERPAGE_SIZE - 8
    li      t1, MAGIC
    sw      t1, 0(t0)
    li      t0, UPPER + SUPERPAGE_SIZE - 8
    lw      t2, 0(t0)
    sub     a0, t1, t2
    seqz    a0, a0
    CHECK   a0, "a superpage maps 4 MiB"

    # Past its end nothing is mapped.
    li      s5, BIG_VA + SUPERPAGE_SIZE
    EXPECT  EXPECT_SKIP
    lw      t0, 0(s5)
    EXPECTED EXC_LOAD_PAGE, s5, "and not a byte more"
    EPILOGUE

    .include "kernels/pages/faults.S"
    .include "kernels/pages/protection.S"
    .include "kernels/pages/entries.S"
    .include "kernels/pages/spaces.S"

    .bss
    .balign 4
scratch:
    .space  4
