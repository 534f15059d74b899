# nano/timer_set: setting the next timer interrupt to a later time, as a kernel does on
# every tick, and whenever there is a nearer deadline.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/timer.S"
    .include "lib/nanotimer.S"

    .equ COUNT, 4000

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    TIMER_IRQ_UNMASK
    NANO    timer_set, COUNT, sets, no_sets

    # A near timer that is put off does not come; when it is set near again, it comes.
    li      a0, SOON
    call    timer_in
    li      a0, 1
    call    sets
    IRQ_ENABLE
    li      a0, 2 * SOON
    call    timer_wait
    IRQ_DISABLE
    lw      t0, timer_count
    seqz    a0, t0
    CHECK   a0, "a timer that is put off does not come"
    li      a0, SOON
    call    timer_in
1:  SAFE_HALT
    IRQ_DISABLE
    lw      s0, timer_count
    beqz    s0, 1b
    CHECK_EQUAL s0, 1, "one that is set comes, once"
    call    checks_failed
    EPILOGUE

# Set it days ahead, each time a little further.
OPERATION sets
BODY
    mv      a0, s0
    li      a1, FAR
    SET_TIMER a0, a1
END

OPERATION no_sets
BODY
    mv      a0, s0
    li      a1, FAR
END

    NANO_END
