# Every trap, by who was interrupted and why. lib/trap.S calls this with
# interrupts off, and it returns with interrupts off.

    .text

# trap(frame, cause, value)
#
# From U:
#   1. A system call: skip the ecall, then serve it with interrupts on.
#   2. The timer: count.
#   3. A page fault: map a page if the process may have one there.
#   4. Anything else, and a fault that cannot be fixed, ends the process.
#   5. If the timer has come meanwhile, let others run before going back.
trap:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    lw      t0, FRAME_USER(s0)
    beqz    t0, trap_from_kernel

    li      t0, EXC_ECALL_U             # 1
    bne     s1, t0, 1f
    lw      t0, FRAME_PC(s0)
    addi    t0, t0, 4
    sw      t0, FRAME_PC(s0)
    IRQ_ENABLE
    mv      a0, s0
    call    syscall
    IRQ_DISABLE
    j       trap_preempt

1:  li      t0, INTERRUPT | IRQ_TIMER   # 2
    bne     s1, t0, 2f
    call    tick
    j       trap_preempt

2:  li      t0, EXC_LOAD_PAGE           # 3
    beq     s1, t0, 3f
    li      t0, EXC_STORE_PAGE
    bne     s1, t0, kill
3:  mv      a0, s2
    call    vm_fault
    bnez    a0, kill

trap_preempt:
    lw      t0, need_resched            # 5
    beqz    t0, 4f
    call    yield
4:  EPILOGUE

# 4. Print who, why and where, and let the process exit with a status that its
# parent can distinguish from any status that a program could give.
kill:
    PRINT   "pid "
    lw      a0, P_PID(tp)
    call    print_number
    PRINT   " "
    lw      a0, P_PROGRAM(tp)
    addi    a0, a0, PROG_NAME
    call    print
    PRINT   ": "
    mv      a0, s1
    mv      a1, s2
    lw      a2, FRAME_PC(s0)
    call    print_cause
    PRINT   ": killed\n"
    addi    a0, s1, KILLED
    j       proc_exit

# From the kernel:
#   1. The timer: count, and go on.  The kernel is not preempted.
#   2. A page fault while copying from or to a process: perhaps the page is only
#      missing yet; otherwise the copy fails.
#   3. Anything else is a mistake in the kernel.
trap_from_kernel:
    li      t0, INTERRUPT | IRQ_TIMER   # 1
    bne     s1, t0, 1f
    call    tick
    EPILOGUE

1:  lw      t1, FRAME_PC(s0)            # 2
    la      t0, user_copy_begin
    bltu    t1, t0, 3f
    la      t0, user_copy_end
    bgeu    t1, t0, 3f
    mv      a0, s2
    call    vm_fault
    beqz    a0, 2f
    la      t0, user_copy_fault
    sw      t0, FRAME_PC(s0)
2:  EPILOGUE

3:  mv      a0, s0                      # 3
    mv      a1, s1
    mv      a2, s2
    j       panic_trap
