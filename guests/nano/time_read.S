# nano/time_read: one read of the time by the kernel.  On the bare machine it is
# an instruction; a VMM that gives its guest a time of its own must emulate it.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 20000

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    READ_TIME_LOW s2
    NANO    time_read, COUNT, reads, no_reads
    mv      s0, a0
    READ_TIME_LOW s3

    # Compare differences: right even if the lower half wraps.
    CHECK_EQUAL s0, 0, "the time never goes back"
    sub     t2, s3, s2
    li      t3, 10                      # 1 us: what many loops take at the very least
    sltu    a0, t3, t2
    CHECK   a0, "and goes on"
    call    checks_failed
    EPILOGUE

# s1 counts the steps back; s3 is the time last read.
OPERATION reads
    READ_TIME_LOW s3
BODY
    READ_TIME_LOW t2
    sub     t3, t2, s3
    srli    t3, t3, 31
    add     s1, s1, t3
    mv      s3, t2
END

OPERATION no_reads
    READ_TIME_LOW s3
    mv      t2, s3
BODY
    sub     t3, t2, s3
    srli    t3, t3, 31
    add     s1, s1, t3
    mv      s3, t2
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    NANO_END
