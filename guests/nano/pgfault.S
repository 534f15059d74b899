# nano/pgfault: U stores to pages that are not mapped.  The kernel maps each page when the
# fault comes, and U goes on.  Every page of one table, once.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/nanouser.S"

    .equ COUNT, 1024

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    user_init

    # The table is there; all of its pages will share a frame.
    li      a0, NANO_VA
    call    nano_pte
    sw      a0, fault_table, t0
    call    page_alloc
    mv      s1, a0
    srli    t0, a0, PAGE_SHIFT
    slli    t0, t0, PTE_PPN_SHIFT
    ori     t0, t0, PTE_USER_DATA
    sw      t0, fault_entry, t1

    NANO    pgfault, COUNT, faults, no_faults, unmap
    call    mapped
    CHECK_EQUAL a0, COUNT, "each page was mapped when it was touched"
    lw      t0, 0(s1)
    addi    t0, t0, -1                  # what the last one stores
    seqz    a0, t0
    CHECK   a0, "and what was stored is there"

    call    unmap
    la      a0, user_faults
    call    trap_of
    mv      s0, a1
    CHECK_EQUAL a0, EXC_STORE_PAGE, "by a store page fault"
    CHECK_EQUAL s0, NANO_VA, "at the page's address"
    call    checks_failed
    EPILOGUE

# unmap(): make all pages unmapped.
unmap:
    PROLOGUE
    lw      s0, fault_table
    li      s1, COUNT
    LAZY_ENTER
1:  mv      a0, s0
    li      a1, 0
    SET_PTE a0, a1
    addi    s0, s0, 4
    addi    s1, s1, -1
    bnez    s1, 1b
    LAZY_LEAVE
    FLUSH_TLB
    EPILOGUE

# mapped() -> how many there are
mapped:
    lw      t2, fault_table
    li      t3, COUNT
    li      a0, 0
1:  READ_PTE t1, t2
    andi    t1, t1, PTE_V
    add     a0, a0, t1
    addi    t2, t2, 4
    addi    t3, t3, -1
    bnez    t3, 1b
    ret

RUN_IN_USER faults, user_faults, fault_gate
RUN_IN_USER no_faults, user_no_faults, fault_gate

# The entry of the page that stval names is set, and the store tried again.
GATE fault_gate
    READ_STVAL t2
    srli    t3, t2, PAGE_SHIFT
    andi    t3, t3, 0x3ff
    slli    t3, t3, 2
    lw      a0, fault_table
    add     a0, a0, t3
    lw      a1, fault_entry
    mv      a2, t2
    SET_PTE_FLUSH a0, a1, a2
    GATE_RETURN

USER_CODE
USER_OPERATION user_faults
    li      s2, NANO_VA
    li      s3, 4096
BODY
    sw      s0, 0(s2)
    add     s2, s2, s3
USER_END

USER_OPERATION user_no_faults
    li      s2, NANO_VA
    li      s3, 4096
BODY
    add     s2, s2, s3
USER_END
USER_CODE_END

    .bss
    .balign 4
fault_table:                            # NANO_VA's entry, and those behind it
    .space  4
fault_entry:                            # what each is set to
    .space  4
    .text

    NANO_END
