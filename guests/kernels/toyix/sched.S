# Who runs: round robin, one tick each.
#
# Two rules keep the timer's handler and the rest apart.  The handler changes
# only `ticks`, `need_resched` and the state of sleepers.  And code that calls
# swtch, or looks at something that it will sleep on, has interrupts off.

    .text

# scheduler(): on the boot stack, for ever.
#   1. With interrupts off, look for a runnable process, from the one after the
#      last on.
#   2. None: sleep until the next interrupt.  It is taken inside SAFE_HALT.
#   3. Run it, in its address space, until it comes back through sched.
scheduler:
    IRQ_DISABLE                         # 1
    lw      s0, last_slot
    li      s1, NPROC
1:  addi    s0, s0, 1
    andi    s0, s0, NPROC - 1
    la      t0, procs
    slli    t1, s0, 2
    add     t0, t0, t1
    lw      s2, 0(t0)
    beqz    s2, 2f
    lw      t0, P_STATE(s2)
    li      t1, STATE_RUNNABLE
    beq     t0, t1, 3f
2:  addi    s1, s1, -1
    bnez    s1, 1b
    SAFE_HALT                           # 2
    j       scheduler

3:  sw      s0, last_slot, t0           # 3
    li      t0, STATE_RUNNING
    sw      t0, P_STATE(s2)
    sw      zero, need_resched, t0
    mv      tp, s2
    lw      a0, P_SATP(s2)
    call    vm_switch
    la      a0, scheduler_context
    addi    a1, s2, P_CONTEXT
    call    swtch
    li      tp, 0
    j       scheduler

# sched(): give the hart to others; returns when somebody has made us runnable.  The
# state is already something other than RUNNING, and interrupts are off.
sched:
    lw      t0, P_MAGIC(tp)
    li      t1, STACK_MAGIC
    bne     t0, t1, 1f
    addi    a0, tp, P_CONTEXT
    la      a1, scheduler_context
    j       swtch
1:  PANIC   "a process ran out of kernel stack"

# swtch(old, new): save what a function must preserve in old, load it from new,
# and return to where new's owner called swtch.
swtch:
    sw      ra, 0(a0)
    sw      sp, 4(a0)
    sw      s0, 8(a0)
    sw      s1, 12(a0)
    sw      s2, 16(a0)
    sw      s3, 20(a0)
    sw      s4, 24(a0)
    sw      s5, 28(a0)
    sw      s6, 32(a0)
    sw      s7, 36(a0)
    sw      s8, 40(a0)
    sw      s9, 44(a0)
    sw      s10, 48(a0)
    sw      s11, 52(a0)
    lw      ra, 0(a1)
    lw      sp, 4(a1)
    lw      s0, 8(a1)
    lw      s1, 12(a1)
    lw      s2, 16(a1)
    lw      s3, 20(a1)
    lw      s4, 24(a1)
    lw      s5, 28(a1)
    lw      s6, 32(a1)
    lw      s7, 36(a1)
    lw      s8, 40(a1)
    lw      s9, 44(a1)
    lw      s10, 48(a1)
    lw      s11, 52(a1)
    ret

# yield(): let other processes run first.
yield:
    PROLOGUE
    IRQ_SAVE s0
    li      t0, STATE_RUNNABLE
    sw      t0, P_STATE(tp)
    call    sched
    IRQ_RESTORE s0
    EPILOGUE

# sleep(channel): returns after wakeup(channel).  The caller has looked, with
# interrupts off, at what it waits for, and must look again afterwards.
sleep:
    PROLOGUE
    IRQ_SAVE s0
    sw      a0, P_CHANNEL(tp)
    li      t0, STATE_SLEEPING
    sw      t0, P_STATE(tp)
    call    sched
    IRQ_RESTORE s0
    EPILOGUE

# wakeup(channel): make all that sleep on it runnable.
wakeup:
    la      t0, procs
    li      t1, NPROC
    li      t2, STATE_SLEEPING
1:  lw      t3, 0(t0)
    beqz    t3, 2f
    lw      t4, P_STATE(t3)
    bne     t4, t2, 2f
    lw      t4, P_CHANNEL(t3)
    bne     t4, a0, 2f
    li      t4, STATE_RUNNABLE
    sw      t4, P_STATE(t3)
2:  addi    t0, t0, 4
    addi    t1, t1, -1
    bnez    t1, 1b
    ret

# tick(): the timer's handler.  All sleepers wake on every tick and see
# for themselves whether their time has come.
tick:
    PROLOGUE
    lw      t0, ticks
    addi    t0, t0, 1
    sw      t0, ticks, t1
    li      t0, 1
    sw      t0, need_resched, t1
    la      a0, ticks
    call    wakeup
    li      a0, TICK
    call    timer_in
    EPILOGUE

# sleep_until(tick): returns when ticks has reached it.
sleep_until:
    PROLOGUE
    mv      s0, a0
    IRQ_SAVE s1
1:  lw      t0, ticks
    sub     t0, t0, s0                  # by its sign: right even when ticks wraps
    bgez    t0, 2f
    la      a0, ticks
    call    sleep
    j       1b
2:  IRQ_RESTORE s1
    EPILOGUE

    .bss
    .balign 4
ticks:                                  # since boot
    .space  4
need_resched:                           # the timer has come since the last switch
    .space  4
last_slot:                              # who ran last
    .space  4
scheduler_context:                      # where the scheduler is while a process runs
    .space  56
