# nano/ctxswitch: a switch to another address space, and a read of one of its pages.
# The two spaces have ASIDs of their own and do not change, so nothing need be
# flushed.  A TLB without ASIDs forgets everything anyway.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 10000                   # an even number, so that it ends where it began
    .equ FLAGS, PTE_LEAF | PTE_R | PTE_W
    .equ HERE, 3                        # what the page at NANO_VA holds in this space
    .equ THERE, 1000                    # and in the other

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    lw      a0, nano_root
    li      a1, 1
    li      a2, HERE
    call    furnish
    sw      a0, here, t0
    call    vm_new
    beqz    a0, no_pages
    li      a1, 2
    li      a2, THERE
    call    furnish
    sw      a0, there, t0
    FLUSH_TLB

    NANO    ctxswitch, COUNT, switches, no_switches
    CHECK_EQUAL a0, COUNT / 2 * (HERE + THERE), "after each switch the page was the space's own"
    call    checks_failed
    EPILOGUE

no_pages:
    PANIC   "out of pages"

# furnish(root, asid, word) -> its satp.  Maps a page that begins with the word
# at NANO_VA.
furnish:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    call    page_alloc
    beqz    a0, no_pages
    sw      s2, 0(a0)
    mv      a2, a0
    mv      a0, s0
    li      a1, NANO_VA
    li      a3, FLAGS
    call    map_page
    bnez    a0, no_pages
    mv      a0, s0
    mv      a1, s1
    call    satp_of
    EPILOGUE

# There and back in turn; s4 is the exclusive or of the two satp values.
OPERATION switches
    lw      s3, here
    lw      s4, there
    xor     s4, s4, s3
    li      s5, NANO_VA
BODY
    xor     s3, s3, s4
    mv      a0, s3
    WRITE_SATP a0
    lw      t2, 0(s5)
    add     s1, s1, t2
END

OPERATION no_switches
    lw      s3, here
    lw      s4, there
    xor     s4, s4, s3
    li      s5, NANO_VA
BODY
    xor     s3, s3, s4
    mv      a0, s3
    lw      t2, 0(s5)
    add     s1, s1, t2
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .bss
    .balign 4
here:                                   # satp of each
    .space  4
there:
    .space  4
    .text

    NANO_END
