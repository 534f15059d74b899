# nano/callret: a call and its return, the kernel to itself.  Free of privileged
# acts, yet a translator has to find where a return goes.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 20000

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    NANO    callret, COUNT, calls, no_calls
    CHECK_EQUAL a0, COUNT * 3, "each call was made and returned from"
    call    checks_failed
    EPILOGUE

# The callee does something that the caller can count; the empty loop does it
# in place.
OPERATION calls
BODY
    call    leaf
END

leaf:
    addi    s1, s1, 3
    ret

OPERATION no_calls
BODY
    addi    s1, s1, 3
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    NANO_END
