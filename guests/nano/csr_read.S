# nano/csr_read: a read of a privileged CSR, sscratch.  It holds only what the kernel
# wrote, so the kernel notices a read that is answered with another value.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 20000
    .equ KEY, 0x00012345

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    NANO    csr_read, COUNT, reads, no_reads, write_key
    WRITE_SSCRATCH zero
    CHECK_EQUAL a0, (COUNT * KEY) & 0xffffffff, "each read answers with what was written"
    call    checks_failed
    EPILOGUE

# sscratch is free while no trap comes: only lib/trap.S needs it, and needs it to be 0.
write_key:
    li      t2, KEY
    WRITE_SSCRATCH t2
    ret

OPERATION reads
BODY
    READ_SSCRATCH t2
    add     s1, s1, t2
END

OPERATION no_reads
    li      t2, KEY
BODY
    add     s1, s1, t2
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    NANO_END
