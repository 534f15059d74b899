# An interrupt at every instruction: of masking sequences, of a trap's way in, of the way
# out to U and to S.
#
# Time counts instructions.  A round sets the timer to fire n of them later, runs the same
# sequence, and looks at what the interrupt may have disturbed; n goes up to WINDOW.  In
# rounds of the second kind the interrupt comes at once, and its handler sets the timer
# n instructions on: so the next meets the handler's own way out.  In rounds of the third
# kind a patched kernel leaves its flag on when it goes to U, so that only the monitor's
# critical ranges keep interrupts out of the gate.
#
# Nor may it come late: U runs long enough to tell.  Kernel and user fill their registers before and add them up after: one that is lost
# or a pc that is wrong gives another sum, or never arrives.

    .include "include/nano.inc"
    .include "lib/nano.S"

    .equ WINDOW, 1400
    .equ LATE, 200                      # instructions: from U to the look at the clock, and more
    .equ SUM, 0x1f0                     # 1 + 2 + ... + 31

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    la      a1, user_text
    li      a0, USER_BASE
    li      a2, PTE_USER_TEXT
    call    nano_map
    call    never
    TIMER_IRQ_UNMASK
    li      s5, 0                       # kind of round
1:  li      s4, 1                       # n
2:  mv      a0, s4
    mv      a1, s5
    call    round
    addi    s4, s4, 1
    li      t0, WINDOW
    bltu    s4, t0, 2b
    addi    s5, s5, 1
    li      t0, 3
    bltu    s5, t0, 1b
    PRINT   "rounds: "
    lw      a0, rounds
    call    print_number
    PRINT   ", wrong: "
    lw      a0, wrong
    call    print_number
    PRINT   "\n"
    lw      a0, wrong
    EPILOGUE

never:
    li      t0, 0x7fffffff
    sw      t0, due, t1
    li      a0, 0
    li      a1, 0x10000
    SET_TIMER a0, a1
    ret

# at(n): the timer fires n instructions from now.
at:
    READ_TIME_LOW t1
    add     a0, a0, t1
    li      a1, 0
    sw      a0, due, t0
    SET_TIMER a0, a1
    ret

# WRONG_UNLESS register, value
.macro WRONG_UNLESS rs, value
    li      t0, \value
    beq     \rs, t0, 99f
    lw      t0, wrong
    addi    t0, t0, 1
    sw      t0, wrong, t1
99:
.endm

# round(n, kind)
round:
    PROLOGUE
    lw      t0, rounds
    addi    t0, t0, 1
    sw      t0, rounds, t1
    sw      zero, fired, t0
    sw      zero, calls, t0
    addi    t0, a1, -2
    seqz    t0, t0
    sw      t0, flag_on, t1
    li      s2, 1                       # interrupts to come
    addi    t0, a1, -1
    bnez    t0, 1f
    sw      a0, again, t0
    li      s2, 2
    li      a0, 1
1:  call    at

mask_begin:
    IRQ_ENABLE
    IRQ_DISABLE
    sw      s2, held_back, t0           # between here and 0 none may be taken
    lw      t1, held_back
    sw      zero, held_back, t0
    IRQ_ENABLE
    IRQ_SAVE s0
    IRQ_SAVE s1
    sw      s2, held_back, t0
    IRQ_RESTORE s1                      # still off
    lw      t1, held_back
    sw      zero, held_back, t0
    IRQ_RESTORE s0
    IRQ_DISABLE
mask_end:
    snez    s0, s0
    WRONG_UNLESS s0, 1
    WRONG_UNLESS s1, 0

    call    sum_kernel
    WRONG_UNLESS a0, 1
    call    go_user
    WRONG_UNLESS a0, 1
    lw      a0, calls
    WRONG_UNLESS a0, 3
    IRQ_ENABLE
    li      s3, 20000                   # it must come, some time
2:  lw      s1, fired
    beq     s1, s2, 3f
    addi    s3, s3, -1
    bnez    s3, 2b
3:  IRQ_DISABLE
    lw      s1, fired
    sub     s1, s1, s2
    WRONG_UNLESS s1, 0
    sw      zero, again, t0
    call    never
    EPILOGUE

# FILL and ADD_UP: registers but x0, sp and one that ADD_UP adds to.
.macro FILL
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    li      x\n, \n
    .endr
    li      x31, 31 + 2
.endm

.macro ADD_UP
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    add     x31, x31, x\n
    .endr
.endm

# sum_kernel() -> 1 if all registers kept their values while interrupts were on
sum_kernel:
    PROLOGUE
    sw      ra, kept_ra, t0
    sw      gp, kept_gp, t0
    sw      tp, kept_tp, t0
    IRQ_ENABLE
    FILL
    nop
    ebreak                              # a trap from S
    nop
    ADD_UP
    sw      x31, summed, t0
    IRQ_DISABLE
    lw      ra, kept_ra
    lw      gp, kept_gp
    lw      tp, kept_tp
    lw      a0, summed
    addi    a0, a0, -SUM
    seqz    a0, a0
    # PROLOGUE's registers are where it left them
    EPILOGUE

# go_user() -> 1 if U's registers kept their values.  U is entered with interrupts off, as
# lib/trap.S wants it.
go_user:
    PROLOGUE
    sw      sp, user_sp, t0
    la      sp, user_frame
    la      t0, user_code
    la      t1, user_text
    sub     t0, t0, t1
    li      t1, USER_BASE
    add     t0, t0, t1
    sw      t0, FRAME_PC(sp)
    li      t0, 1
    sw      t0, FRAME_USER(sp)
    USER_TRAP_STATE t0
    sw      t0, FRAME_STATE(sp)
    .ifdef PV
    lw      t0, flag_on
    beqz    t0, 1f
    sw      t0, PV_VIF(zero)
1:
    .endif
    j       trap_return

user_left:                              # by the third call: a0 in the frame
    lw      a0, FRAME_A0(a0)
    lw      sp, user_sp
    addi    a0, a0, -SUM
    seqz    a0, a0
    EPILOGUE

# trap(frame, cause, value)
trap:
    PROLOGUE
    li      t0, INTERRUPT | IRQ_TIMER
    beq     a1, t0, 2f
    lw      t0, FRAME_PC(a0)
    addi    t0, t0, 4
    sw      t0, FRAME_PC(a0)
    li      t0, EXC_BREAKPOINT
    beq     a1, t0, 5f
    li      t0, EXC_ECALL_U
    bne     a1, t0, panic_trap
    lw      t0, calls
    addi    t0, t0, 1
    sw      t0, calls, t1
    # Interrupts have been on in U: one that is due has come, but for the way here.
    READ_TIME_LOW t1
    lw      t2, due
    sub     t1, t1, t2
    addi    t1, t1, -LATE
    bltz    t1, 6f
    lw      t1, wrong
    addi    t1, t1, 1
    sw      t1, wrong, t2
6:  addi    t0, t0, -3
    beqz    t0, user_left
    IRQ_ENABLE
    nop
    IRQ_DISABLE
    EPILOGUE

2:  lw      t0, held_back               # interrupts were off there
    beqz    t0, 3f
    lw      t0, wrong
    addi    t0, t0, 1
    sw      t0, wrong, t1
3:  lw      t0, fired
    addi    t0, t0, 1
    sw      t0, fired, t1
    lw      a0, again
    sw      zero, again, t0
    beqz    a0, 4f
    call    at
    EPILOGUE
4:  call    never
5:  EPILOGUE

USER_CODE
user_code:
    FILL
    ecall
    nop
    li      x31, LATE
1:  addi    x31, x31, -1
    bnez    x31, 1b
    ecall
    nop
    li      x31, 31 + 2
    ADD_UP
    mv      a0, x31
    ecall
USER_CODE_END

    .bss
    .balign 16
    .space  1024
user_frame:
    .space  FRAME_SIZE
user_sp:
    .space  4
rounds:
    .space  4
wrong:
    .space  4
fired:
    .space  4
calls:
    .space  4
again:                                  # what the handler sets the timer to, or 0
    .space  4
held_back:
    .space  4
due:                                    # when the timer fires
    .space  4
flag_on:
    .space  4
summed:
    .space  4
kept_ra:
    .space  4
kept_gp:
    .space  4
kept_tp:
    .space  4
    .text

    NANO_END
