# nano/irq_toggle: interrupts off and on again, as around every critical section
# of a kernel.  Nothing is pending meanwhile.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/timer.S"
    .include "lib/nanotimer.S"

    .equ COUNT, 20000

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    timer_never
    TIMER_IRQ_UNMASK
    NANO    irq_toggle, COUNT, toggles, no_toggles

    # The last act turned them on.
    IRQ_SAVE s0
    snez    a0, s0
    CHECK   a0, "interrupts are on after it"

    # The flag has an effect: while it is clear, a timer interrupt waits.
    IRQ_ENABLE
    IRQ_DISABLE
    li      a0, SOON
    call    timer_in
    li      a0, 2 * SOON
    call    timer_wait
    lw      t0, timer_count
    seqz    a0, t0
    CHECK   a0, "off holds a timer interrupt back"
    IRQ_ENABLE
    lw      s0, timer_count
    IRQ_DISABLE
    CHECK_EQUAL s0, 1, "on lets it through"
    call    checks_failed
    EPILOGUE

OPERATION toggles
BODY
    IRQ_DISABLE
    IRQ_ENABLE
END

OPERATION no_toggles
    IRQ_ENABLE
BODY
END

    NANO_END
