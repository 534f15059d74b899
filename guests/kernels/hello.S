# The smallest kernel: says hello and ends the machine.

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    PRINT   "hello, world\n"
    li      a0, 0
    EPILOGUE

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap
