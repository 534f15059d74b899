# Takes all the time that it gets: computes for ever, and never sleeps.

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/work.S"

    .text

main:
    li      a0, 1
    call    work
    j       main

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap
