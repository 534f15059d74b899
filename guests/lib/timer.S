# The next timer interrupt, counted from now.
#
# It is counted from now, not from the last deadline: a kernel that is slowed down (for example
# by a VMM) then gets fewer ticks, and not a backlog of ticks that leaves it no time.

    .text

# timer_in(ticks of the timebase)
timer_in:
    READ_TIME a2, a3
    add     a0, a2, a0
    sltu    a1, a0, a2                  # carry into the upper half
    add     a1, a3, a1
    SET_TIMER a0, a1
    ret
