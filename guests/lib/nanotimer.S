# The timer in nano-benchmarks: set near or far, and how often its interrupt came.

    .equ SOON, 200                      # ticks of the timebase: 20 us
    .equ FAR, 0x10000                   # upper half of a time that does not come

    .text

timer_never:
    li      a0, 0
    li      a1, FAR
    SET_TIMER a0, a1
    ret

# timer_wait(ticks of the timebase): waits by reading the clock.
timer_wait:
    READ_TIME_LOW t1
    add     a0, t1, a0
1:  READ_TIME_LOW t1
    sub     t1, t1, a0                  # the sign says before or after, even after a wrap
    bltz    t1, 1b
    ret

# trap(frame, cause, value): count a timer interrupt, and set no other.
trap:
    li      t0, INTERRUPT | IRQ_TIMER
    bne     a1, t0, panic_trap
    lw      t0, timer_count
    addi    t0, t0, 1
    sw      t0, timer_count, t1
    j       timer_never

    .bss
    .balign 4
timer_count:
    .space  4
    .text
