# Computes all the time, but sleeps at every multiple of a tick: whoever looks only then which
# guest runs never sees this one (Zhou et al. 2011).

    .include "include/pvops.inc"
    .include "include/call.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/work.S"

    .equ TICK, 100000                   # 10 ms, as accounts are kept by Xen's credit scheduler
    .ifndef AWAY
    .equ AWAY, 200                      # asleep from 20 us before a tick to 20 us after it
    .endif

    .text

main:
    TIMER_IRQ_UNMASK
    li      s0, 0
    li      s1, 0

# s1:s0 = the first tick that is more than AWAY from now.
stealing:
    READ_TIME t1, t2
    li      t3, AWAY
    add     t1, t1, t3
    sltu    t3, t1, t3                  # carry into the upper half
    add     t2, t2, t3
    li      t3, TICK
1:  bltu    t2, s1, working
    bltu    s1, t2, 2f
    bltu    t1, s0, working
2:  add     s0, s0, t3
    sltu    t4, s0, t3
    add     s1, s1, t4
    j       1b

working:
    li      a0, 4
    call    work
    READ_TIME_LOW t1
    addi    t1, t1, AWAY
    sub     t1, t1, s0                  # the sign says before or after, even after a wrap
    bltz    t1, working

    # Until as long after the tick. With interrupts on, this one could come before the sleep,
    # and the sleep would miss it.
    IRQ_DISABLE
    li      t3, AWAY
    add     a0, s0, t3
    sltu    a1, a0, s0
    add     a1, s1, a1
    SET_TIMER a0, a1
    SAFE_HALT
    j       stealing

# trap(frame, cause, value): awake; no other interrupt is to come until it sleeps again.
trap:
    li      t1, INTERRUPT | IRQ_TIMER
    bne     a1, t1, panic_trap
    lw      t1, naps
    addi    t1, t1, 1
    sw      t1, naps, t2
    li      a0, -1
    li      a1, -1
    SET_TIMER a0, a1
    ret

    .bss
    .balign 4
    .globl  naps
naps:
    .space  4                           # how often it has slept
