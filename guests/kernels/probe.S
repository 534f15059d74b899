# Sleeps, and measures how late it runs after its timer was due.

    .ifndef PERIOD
    .equ PERIOD, 20000                  # 2 ms
    .endif

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/late.S"

    .text

main:
    call    late_start
sleeping:
    IRQ_DISABLE
    SAFE_HALT
    j       sleeping
