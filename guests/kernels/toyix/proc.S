# The table of processes, and the first process.

    .text

# proc_alloc() -> a process that has a number and a kernel stack but no memory,
# or 0. Its context looks as if the process had been switched away on its way to U.
proc_alloc:
    PROLOGUE
    la      s0, procs
    li      s1, 0
1:  lw      t0, 0(s0)
    beqz    t0, 2f
    addi    s0, s0, 4
    addi    s1, s1, 1
    li      t0, NPROC
    bltu    s1, t0, 1b
    li      a0, 0
    j       3f

2:  call    page_alloc
    beqz    a0, 3f
    sw      a0, 0(s0)
    sw      s1, P_SLOT(a0)
    li      t0, STACK_MAGIC
    sw      t0, P_MAGIC(a0)
    lw      t0, next_pid
    sw      t0, P_PID(a0)
    addi    t0, t0, 1
    sw      t0, next_pid, t1

    li      t1, P_FRAME
    add     t1, a0, t1
    sw      t1, P_CONTEXT + 4(a0)       # sp
    la      t0, trap_return
    sw      t0, P_CONTEXT(a0)           # ra
    li      t0, 1
    sw      t0, FRAME_USER(t1)
    USER_TRAP_STATE t0
    sw      t0, FRAME_STATE(t1)
3:  EPILOGUE

# proc_free(process): its memory is freed already, and nobody runs on its stack.
proc_free:
    lw      t0, P_SLOT(a0)
    la      t1, procs
    slli    t0, t0, 2
    add     t1, t1, t0
    sw      zero, 0(t1)
    j       page_free

# proc_first(): make init, the process that all others come from.
proc_first:
    PROLOGUE
    call    proc_alloc
    beqz    a0, 1f
    mv      s0, a0
    sw      s0, init_process, t0
    la      a0, init_name
    call    program_find
    beqz    a0, 1f
    mv      a1, a0
    mv      a0, s0
    la      a2, exec_line               # still empty: no arguments
    call    proc_load
    bnez    a0, 1f
    li      t0, STATE_RUNNABLE
    sw      t0, P_STATE(s0)
    EPILOGUE
1:  PANIC   "cannot make init"

    .section .rodata
init_name:
    .asciz  "init"

    .data
    .balign 4
next_pid:
    .word   1

    .bss
    .balign 4
procs:                                  # NPROC processes, 0 for none
    .space  4 * NPROC
init_process:
    .space  4
