# nano/in: a read of a device register, the UART's line status.  On the bare machine the cost
# is that of the bus.  Under a VMM the device is software, and the read must get
# there.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ COUNT, 4000
    .equ UART, 0x10000000
    .equ UART_LSR, 5
    .equ LSR_READY, 0x60                # nothing left to send

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    li      a0, UART
    li      a1, UART
    li      a2, PTE_KERNEL_DATA
    call    nano_map
    NANO    in, COUNT, reads, no_reads
    CHECK_EQUAL a0, COUNT * LSR_READY, "the transmitter was ready in each"
    call    checks_failed
    EPILOGUE

OPERATION reads
    li      s3, UART + UART_LSR
BODY
    READ_DEVICE t2, s3
    andi    t2, t2, LSR_READY
    add     s1, s1, t2
END

OPERATION no_reads
    li      t2, LSR_READY
BODY
    andi    t2, t2, LSR_READY
    add     s1, s1, t2
END

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    NANO_END
