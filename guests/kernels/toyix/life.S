# A process's life: fork, exit, wait.

    .text

# proc_fork() -> the child's number, or -1. The child is a copy of the running
# process, its memory and frame; in the child the answer is 0.
#   1. Make a process and an empty address space.
#   2. Copy the memory.
#   3. Copy what matters of the record, and the frame.
#   4. Make it runnable.
proc_fork:
    PROLOGUE
    call    proc_alloc                  # 1
    beqz    a0, 2f
    mv      s0, a0
    call    vm_new
    beqz    a0, 1f
    mv      s1, a0

    lw      a1, P_ROOT(tp)              # 2
    call    vm_copy
    mv      s2, a0
    mv      a0, s0
    mv      a1, s1
    call    vm_set
    bnez    s2, 1f

    sw      tp, P_PARENT(s0)            # 3
    lw      t0, P_PROGRAM(tp)
    sw      t0, P_PROGRAM(s0)
    lw      t0, P_DATA(tp)
    sw      t0, P_DATA(s0)
    lw      t0, P_HEAP(tp)
    sw      t0, P_HEAP(s0)
    lw      t0, P_BREAK(tp)
    sw      t0, P_BREAK(s0)

    li      t0, P_FRAME
    add     t1, s0, t0
    add     t0, tp, t0
    addi    t2, t1, FRAME_SIZE
    mv      t4, t1
3:  lw      t3, 0(t0)
    sw      t3, 0(t1)
    addi    t0, t0, 4
    addi    t1, t1, 4
    bltu    t1, t2, 3b
    sw      zero, FRAME_A0(t4)

    lw      a0, P_PID(s0)               # 4
    li      t0, STATE_RUNNABLE
    sw      t0, P_STATE(s0)
    EPILOGUE

1:  lw      a0, P_ROOT(s0)              # 0 if it never had one
    call    vm_free
    mv      a0, s0
    call    proc_free
2:  li      a0, -1
    EPILOGUE

# proc_exit(status): the end of the running process; does not return.
#   1. If init ends, the machine ends.
#   2. Free the memory, from an address space that is not the process's own.
#   3. Give its children to init, which waits for all it gets.
#   4. Leave the rest, which includes this stack, to the parent that waits for it.
proc_exit:
    mv      s0, a0
    lw      s1, init_process            # 1
    bne     tp, s1, 1f
    j       machine_end
1:

    lw      a0, kernel_satp             # 2
    call    vm_switch
    lw      a0, P_ROOT(tp)
    sw      zero, P_ROOT(tp)
    lw      t0, kernel_satp
    sw      t0, P_SATP(tp)
    call    vm_free

    la      s2, procs                   # 3
    li      s3, NPROC
1:  lw      t0, 0(s2)
    beqz    t0, 2f
    lw      t1, P_PARENT(t0)
    bne     t1, tp, 2f
    sw      s1, P_PARENT(t0)
    mv      a0, s1                      # init must hear of a child that has ended already
    call    wakeup
2:  addi    s2, s2, 4
    addi    s3, s3, -1
    bnez    s3, 1b

    IRQ_DISABLE                         # 4
    sw      s0, P_STATUS(tp)
    li      t0, STATE_ZOMBIE
    sw      t0, P_STATE(tp)
    lw      a0, P_PARENT(tp)
    call    wakeup
    call    sched
    PANIC   "a zombie ran"

# proc_wait(address for the status, or 0) -> number of a child that has ended,
# or -1 if there is no child, or the address is bad.
#   1. Look at all children: the first one that has ended is the answer.
#   2. Store its status, then free what is left of it.
#   3. If none has ended, sleep until one does.  Children do not run while the
#      kernel runs, so none can end between the look and the sleep.
proc_wait:
    PROLOGUE
    mv      s0, a0
proc_wait_again:
    la      s1, procs                   # 1
    li      s2, NPROC
    li      s3, 0                       # children seen
1:  lw      s4, 0(s1)
    beqz    s4, 2f
    lw      t0, P_PARENT(s4)
    bne     t0, tp, 2f
    li      s3, 1
    lw      t0, P_STATE(s4)
    li      t1, STATE_ZOMBIE
    beq     t0, t1, 3f
2:  addi    s1, s1, 4
    addi    s2, s2, -1
    bnez    s2, 1b
    beqz    s3, 5f
    mv      a0, tp                      # 3
    call    sleep
    j       proc_wait_again

3:  beqz    s0, 4f                      # 2
    mv      a0, s0
    addi    a1, s4, P_STATUS
    li      a2, 4
    call    copy_out
    bnez    a0, 5f
4:  lw      s0, P_PID(s4)
    mv      a0, s4
    call    proc_free
    mv      a0, s0
    EPILOGUE
5:  li      a0, -1
    EPILOGUE
