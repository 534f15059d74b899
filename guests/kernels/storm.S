# Calls the firmware for ever, as fast as it can, for something cheap: a timer far ahead.

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"

    .text

main:
    li      a0, -1
    li      a1, -1
    SET_TIMER a0, a1
    lw      t0, rounds
    addi    t0, t0, 1
    sw      t0, rounds, t1
    j       main

# trap(frame, cause, value): nothing here should trap.
trap:
    j       panic_trap

    .bss
    .balign 4
    .globl  rounds
rounds:
    .space  4                           # calls so far; wraps
