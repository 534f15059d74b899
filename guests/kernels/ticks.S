# Timer interrupts: taken while asleep, taken in the middle of a computation,
# and held back while interrupts are off.  Prints `ok` or `FAIL` for each.

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/timer.S"
    .include "lib/check.S"

    .equ PERIOD, 10000                  # 1 ms
    .equ ROUNDS, 10

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    li      a0, PERIOD
    call    timer_in
    TIMER_IRQ_UNMASK

    # Asleep.  Interrupts are off from the look at the count to the sleep;
    # SAFE_HALT turns them on.  Otherwise the interrupt could come in between,
    # and the sleep would miss it.
sleeping:
    IRQ_DISABLE
    lw      t0, tick_count
    li      t1, ROUNDS
    bgeu    t0, t1, 1f
    SAFE_HALT
    j       sleeping
1:  li      a0, 1
    CHECK   a0, "ten timer interrupts while asleep"

    # Computing.  Sum 1 to 1000 over and over in registers that the handler
    # uses as well; an interrupt that loses one gives a wrong sum.
    sw      zero, tick_count, t0
    li      s0, 1                       # 1: all sums were right so far
    IRQ_ENABLE
computing:
    li      t3, 1000
    li      a2, 0
1:  add     a2, a2, t3
    addi    t3, t3, -1
    bnez    t3, 1b
    li      a3, 500500
    beq     a2, a3, 2f
    li      s0, 0
2:  lw      t0, tick_count
    li      t1, ROUNDS
    bltu    t0, t1, computing
    IRQ_DISABLE
    CHECK   s0, "ten timer interrupts while computing"

    # Held back.  While interrupts are off, for three periods, none is taken.  When they
    # are turned on, the pending one is taken at once, and only once.
    lw      s0, tick_count
    READ_TIME s1, s2
    li      t1, 3 * PERIOD
    add     s1, s1, t1                  # lower half of the time to wait for
1:  READ_TIME t1, t2
    sub     t1, t1, s1                  # the sign says before or after, even after a wrap
    bltz    t1, 1b
    lw      t0, tick_count
    sub     a0, t0, s0
    seqz    a0, a0
    CHECK   a0, "none while interrupts are off"

    # "must be evaluated immediately following ... an explicit write to a CSR".
    IRQ_ENABLE
    lw      s1, tick_count
    IRQ_DISABLE
    sub     t0, s1, s0
    addi    t0, t0, -1
    seqz    a0, t0
    CHECK   a0, "the pending one when they are on again"

    # Remembered.  IRQ_SAVE and IRQ_RESTORE nest: the inner pair must not turn
    # interrupts on for the outer one.
    IRQ_ENABLE
    IRQ_SAVE s0
    IRQ_SAVE s1
    IRQ_RESTORE s1
    IRQ_SAVE s2
    IRQ_RESTORE s0
    IRQ_SAVE s3
    seqz    t0, s1
    seqz    t1, s2
    snez    t2, s3
    and     t0, t0, t1
    and     a0, t0, t2
    CHECK   a0, "saved interrupt flags nest"

    call    checks_failed
    EPILOGUE

# trap(frame, cause, value): count a timer interrupt and ask for the next.
trap:
    PROLOGUE
    li      t0, INTERRUPT | IRQ_TIMER
    bne     a1, t0, panic_trap
    lw      t0, tick_count
    addi    t0, t0, 1
    sw      t0, tick_count, t1
    li      a0, PERIOD
    call    timer_in
    EPILOGUE

    .bss
    .balign 4
tick_count:
    .space  4
