# nano/fork: a copy of an address space, with its tables and every page, as
# fork makes it without copy on write.  The last number is how many pages it has.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 8
    .equ PAGES, 16

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init

    # The pages to copy: each begins with its own address.
    li      s0, NANO_VA
    li      s1, PAGES
1:  call    page_alloc
    beqz    a0, fork_failed
    sw      s0, 0(a0)
    mv      a1, a0
    mv      a0, s0
    li      a2, PTE_USER_DATA
    call    nano_map
    li      t0, PAGE_SIZE
    add     s0, s0, t0
    addi    s1, s1, -1
    bnez    s1, 1b
    lw      s2, page_count

    li      s1, PAGES
    NANO    fork, COUNT, copies, no_copies, discard, s1

    li      s1, 0
    la      s3, roots
    li      s4, COUNT
2:  lw      a0, 0(s3)
    call    copied
    add     s1, s1, a0
    addi    s3, s3, 4
    addi    s4, s4, -1
    bnez    s4, 2b
    CHECK_EQUAL s1, COUNT * PAGES, "each page has a copy of its own in each space"
    call    discard
    lw      t0, page_count
    sub     t0, t0, s2
    seqz    a0, t0
    CHECK   a0, "and all pages come back"
    call    checks_failed
    EPILOGUE

fork_failed:
    PANIC   "out of pages"

# copied(root) -> how many pages of the space are copies: another frame with the
# same first word.
copied:
    PROLOGUE
    mv      s0, a0
    li      s1, NANO_VA
    li      s2, PAGES
    li      s3, 0
1:  mv      a0, s0
    mv      a1, s1
    li      a2, 0
    call    pte_of
    beqz    a0, 2f
    READ_PTE s4, a0
    mv      a0, s1
    call    nano_pte
    READ_PTE t1, a0
    srli    s4, s4, PTE_PPN_SHIFT
    srli    t1, t1, PTE_PPN_SHIFT
    beq     s4, t1, 2f
    slli    s4, s4, PAGE_SHIFT
    lw      t1, 0(s4)
    bne     t1, s1, 2f
    addi    s3, s3, 1
2:  li      t1, PAGE_SIZE
    add     s1, s1, t1
    addi    s2, s2, -1
    bnez    s2, 1b
    mv      a0, s3
    EPILOGUE

# discard(): free the spaces that were made so far.
discard:
    PROLOGUE
    la      s0, roots
    li      s1, COUNT
1:  lw      a0, 0(s0)                   # 0 if there is none yet
    call    vm_free
    sw      zero, 0(s0)
    addi    s0, s0, 4
    addi    s1, s1, -1
    bnez    s1, 1b
    EPILOGUE

OPERATION copies
    la      s3, roots
BODY
    call    vm_new
    beqz    a0, fork_failed
    sw      a0, 0(s3)
    addi    s3, s3, 4
    lw      a1, nano_root
    call    vm_copy
    bnez    a0, fork_failed
END

OPERATION no_copies
BODY
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .bss
    .balign 4
roots:                                  # of the copies
    .space  4 * COUNT
    .text

    NANO_END
