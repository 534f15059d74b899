# nano/protfault: U stores to a page that it may only read.  The kernel, which might
# send a signal, skips the store.  The TLB holds the page's translation.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/nanouser.S"

    .equ COUNT, 10000
    .equ USER_READ_ONLY, PTE_LEAF | PTE_R | PTE_U

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    user_init
    call    page_alloc
    mv      s1, a0
    mv      a1, a0
    li      a0, NANO_VA
    li      a2, USER_READ_ONLY
    call    nano_map

    NANO    protfault, COUNT, faults, no_faults
    CHECK_EQUAL a0, COUNT, "each fault reached the kernel"
    lw      s0, 0(s1)
    CHECK_EQUAL s0, 0, "and nothing was stored"
    la      a0, user_faults
    call    trap_of
    mv      s0, a1
    CHECK_EQUAL a0, EXC_STORE_PAGE, "by a store page fault"
    CHECK_EQUAL s0, NANO_VA, "at the page's address"
    call    checks_failed
    EPILOGUE

RUN_IN_USER faults, user_faults, fault_gate
RUN_IN_USER no_faults, user_no_faults, fault_gate

GATE fault_gate
    GATE_SKIP
    addi    s1, s1, 1
    GATE_RETURN

# Both loops read the page, which is allowed.
USER_CODE
USER_OPERATION user_faults
    li      s2, NANO_VA
BODY
    lw      t2, 0(s2)
    sw      s0, 0(s2)
USER_END

USER_OPERATION user_no_faults
    li      s2, NANO_VA
BODY
    lw      t2, 0(s2)
    addi    s1, s1, 1
USER_END
USER_CODE_END

    NANO_END
