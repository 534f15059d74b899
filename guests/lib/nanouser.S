# U for the nano-benchmarks: one context, which a call enters and leaves.
#
# While U runs, its traps go to the gate that was given when it was entered.  That may be
# trap_entry: then trap() below looks at each trap, and a benchmark can check that
# the operation that it timed was the right one.

    .equ USER_STACK_SIZE, 1024          # for trap(), below the frame

    .text

# user_init(): map the code for U.
user_init:
    PROLOGUE
    la      s0, user_text
    la      s1, user_text_end
    li      s2, USER_BASE
1:  mv      a0, s2
    mv      a1, s0
    li      a2, PTE_USER_TEXT
    call    nano_map
    li      t0, PAGE_SIZE
    add     s0, s0, t0
    add     s2, s2, t0
    bltu    s0, s1, 1b
    EPILOGUE

# enter_user(code, count, gate) -> what U answers when it leaves:
#   1. Keep what a function must preserve, on this stack.
#   2. Traps go to the gate.
#   3. A frame that starts U at the code, with a0 = count; go there.
enter_user:
    PROLOGUE                            # 1
    sw      sp, user_kernel_sp, t0
    mv      s0, a0
    mv      s1, a1

    mv      a0, a2                      # 2
    WRITE_STVEC a0

    la      t0, user_text               # 3
    sub     s0, s0, t0
    li      t0, USER_BASE
    add     s0, s0, t0
    la      sp, user_frame
    sw      s0, FRAME_PC(sp)
    sw      s1, FRAME_A0(sp)
    li      t0, 1
    sw      t0, FRAME_USER(sp)
    USER_TRAP_STATE t0
    sw      t0, FRAME_STATE(sp)
    j       trap_return

# Used in a trap from U when t6 says that U wants to leave; a0 = U's answer.  The
# trap does not return: enter_user returns in its place.
leave_user:
    mv      s0, a0
    lw      sp, user_kernel_sp
    WRITE_SSCRATCH zero                 # the kernel runs: see lib/trap.S
    la      a0, trap_entry
    WRITE_STVEC a0
    mv      a0, s0
    EPILOGUE

# trap(frame, cause, value), when U was entered with trap_entry:
#   1. The kernel does not trap.
#   2. An ecall with t6 set: leave.
#   3. Record any other, and go on behind the instruction.
trap:
    lw      t0, FRAME_USER(a0)          # 1
    beqz    t0, panic_trap
    li      t0, EXC_ECALL_U             # 2
    bne     a1, t0, 1f
    lw      t0, FRAME_T6(a0)
    beqz    t0, 1f
    lw      a0, FRAME_A0(a0)
    j       leave_user

1:  lw      t0, FRAME_PC(a0)            # 3
    addi    t0, t0, 4
    sw      t0, FRAME_PC(a0)
    sw      a1, user_cause, t0
    sw      a2, user_stval, t0
    lw      t0, user_traps
    addi    t0, t0, 1
    sw      t0, user_traps, t1
    ret

# trap_of(code) -> a0 = cause and a1 = stval of the one trap that the user
# operation takes in one iteration; a0 = -1 if it takes none or several.
trap_of:
    PROLOGUE
    sw      zero, user_traps, t0
    li      a1, 1
    la      a2, trap_entry
    call    enter_user
    lw      t0, user_traps
    addi    t0, t0, -1
    li      a0, -1
    bnez    t0, 1f
    lw      a0, user_cause
    lw      a1, user_stval
1:  EPILOGUE

    .bss
    .balign 16
    .space  USER_STACK_SIZE
user_frame:
    .space  FRAME_SIZE
user_kernel_sp:
    .space  4
user_cause:
    .space  4
user_stval:
    .space  4
user_traps:
    .space  4
    .text
