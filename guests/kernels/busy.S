# Never sleeps, and measures how late it runs after its timer was due: later than `probe`, if
# whoever shares out the time favours those that sleep.

    .ifndef PERIOD
    .equ PERIOD, 500000                 # 50 ms
    .endif

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/late.S"
    .include "lib/work.S"

    .text

main:
    call    late_start
    IRQ_ENABLE
computing:
    li      a0, 1
    call    work
    j       computing
