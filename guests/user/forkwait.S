# forkwait N: N times, fork a child that exits at once, and wait for it.  Each
# child exits with a status of its own, which must arrive.

PROGRAM forkwait
    call    forkwait_parse
    mv      s0, a0                      # N
    li      s1, 0                       # so far
    addi    sp, sp, -16

1:  bgeu    s1, s0, 3f
    SYSCALL SYS_FORK
    bltz    a0, forkwait_failed
    bnez    a0, 2f
    andi    a0, s1, 0xff
    SYSCALL SYS_EXIT

2:  mv      s2, a0
    mv      a0, sp
    SYSCALL SYS_WAIT
    bne     a0, s2, forkwait_failed
    lw      t0, 0(sp)
    andi    t1, s1, 0xff
    bne     t0, t1, forkwait_failed
    addi    s1, s1, 1
    j       1b

3:  li      a0, 0                       # no child is left
    SYSCALL SYS_WAIT
    bgez    a0, forkwait_failed
    SAY     forkwait, "forkwait: "
    mv      a0, s0
    call    forkwait_say_number
    SAY     forkwait, " children, each waited for\n"
    li      a0, 0
    SYSCALL SYS_EXIT

forkwait_failed:
    SAY     forkwait, "forkwait: FAIL\n"
    li      a0, 1
    SYSCALL SYS_EXIT

    USER_ROUTINES forkwait
PROGRAM_DATA forkwait
PROGRAM_END forkwait
