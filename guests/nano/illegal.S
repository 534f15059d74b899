# nano/illegal: a fault without memory access: an illegal instruction
# in U, delivered to the kernel, which skips it.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/nanouser.S"

    .equ COUNT, 10000

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    user_init
    NANO    illegal, COUNT, faults, no_faults
    CHECK_EQUAL a0, COUNT, "each fault reached the kernel"
    la      a0, user_faults
    call    trap_of
    CHECK_EQUAL a0, EXC_ILLEGAL, "as an illegal instruction"
    call    checks_failed
    EPILOGUE

RUN_IN_USER faults, user_faults, fault_gate
RUN_IN_USER no_faults, user_no_faults, fault_gate

GATE fault_gate
    GATE_SKIP
    addi    s1, s1, 1
    GATE_RETURN

USER_CODE
USER_OPERATION user_faults
BODY
    .word   0                           # "defined to be illegal", for ever
USER_END

USER_OPERATION user_no_faults
BODY
    addi    s1, s1, 1
USER_END
USER_CODE_END

    NANO_END
