# How late a kernel runs after its timer was due, in ticks of the timebase.
#
# The intervals between two timers are irregular, from a half to one and a half PERIOD.
# Otherwise they could keep step with the turns of the guests on a host, and meet always the
# same one.

    .text

# late_start: set the first timer, and let its interrupt through once interrupts are on.
late_start:
    PROLOGUE
    TIMER_IRQ_UNMASK
    READ_TIME_LOW s0                    # guests that begin at other times have other intervals
    sw      s0, late_seed, t1
    call    late_next
    EPILOGUE

# late_next: set the next timer, an interval from now.
late_next:
    lw      t1, late_seed               # the constants of a well-known linear generator
    li      t2, 1664525
    mul     t1, t1, t2
    li      t2, 1013904223
    add     t1, t1, t2
    sw      t1, late_seed, t2
    li      t2, PERIOD
    mulhu   t1, t1, t2                  # from 0 to PERIOD
    srli    t2, t2, 1
    add     t1, t1, t2
    READ_TIME a2, a3
    add     a0, a2, t1
    sltu    a1, a0, a2                  # carry into the upper half
    add     a1, a3, a1
    sw      a0, late_due, t1
    SET_TIMER a0, a1
    ret

# trap(frame, cause, value): note how late it is, and set the next timer.
trap:
    PROLOGUE
    li      t1, INTERRUPT | IRQ_TIMER
    bne     a1, t1, panic_trap
    READ_TIME_LOW s0
    lw      t1, late_due
    sub     s0, s0, t1

    # Sum, in two words; worst; count.
    la      s1, late_sum
    lw      t1, 0(s1)
    add     t1, t1, s0
    sw      t1, 0(s1)
    sltu    t1, t1, s0
    lw      t2, 4(s1)
    add     t2, t2, t1
    sw      t2, 4(s1)
    lw      t1, late_worst
    bgeu    t1, s0, 1f
    sw      s0, late_worst, t1
1:  lw      t1, late_count
    addi    t1, t1, 1
    sw      t1, late_count, t2

    # The bin is how many bits the number has.
    la      t1, late_bins
2:  beqz    s0, 3f
    srli    s0, s0, 1
    addi    t1, t1, 4
    j       2b
3:  lw      t2, 0(t1)
    addi    t2, t2, 1
    sw      t2, 0(t1)
    call    late_next
    EPILOGUE

    .bss
    .balign 4
    .globl  late_count, late_sum, late_worst, late_bins
late_count: .space 4                    # timer interrupts
late_sum:   .space 8                    # of ticks that they were late, the lower half first
late_worst: .space 4                    # most ticks
late_bins:  .space 4 * 33               # bin n: late by less than 2^n ticks, and at least half of it
late_due:   .space 4                    # lower half of the time when the timer is due
late_seed:  .space 4
    .text
