# nano/syscall: from U to the kernel and back.  The kernel's part is as small as
# possible: skip the ecall, add 7 to the caller's s1, return.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/nanouser.S"

    .equ COUNT, 20000
    .equ ANSWER, 7

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    user_init
    NANO    syscall, COUNT, calls, no_calls
    CHECK_EQUAL a0, COUNT * ANSWER, "each call was served"
    la      a0, user_calls
    call    trap_of
    CHECK_EQUAL a0, EXC_ECALL_U, "by a trap that says environment call from U"
    call    checks_failed
    EPILOGUE

RUN_IN_USER calls, user_calls, call_gate
RUN_IN_USER no_calls, user_no_calls, call_gate

GATE call_gate
    GATE_SKIP
    addi    s1, s1, ANSWER
    GATE_RETURN

USER_CODE
USER_OPERATION user_calls
BODY
    ecall
USER_END

USER_OPERATION user_no_calls
BODY
    addi    s1, s1, ANSWER
USER_END
USER_CODE_END

    NANO_END
