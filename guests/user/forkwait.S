# forkwait N: N times, fork a child that exits at once, and wait for it.  Each
# child exits with a status of its own, which must arrive.  Then some children
# leave a child behind, more in all than the kernel has room for at once:
# if init did not wait for those, fork would fail in the end.

    .equ FORKWAIT_ORPHANS, 20

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

    li      s1, FORKWAIT_ORPHANS
4:  SYSCALL SYS_FORK
    bltz    a0, forkwait_failed
    beqz    a0, forkwait_leave
    li      a0, 0
    SYSCALL SYS_WAIT
    li      a0, 3                       # while the orphan ends
    SYSCALL SYS_SLEEP
    addi    s1, s1, -1
    bnez    s1, 4b
    SAY     forkwait, "forkwait: "
    li      a0, FORKWAIT_ORPHANS
    call    forkwait_say_number
    SAY     forkwait, " orphans, left to init\n"
    li      a0, 0
    SYSCALL SYS_EXIT

# Fork a child that outlives this process.
forkwait_leave:
    SYSCALL SYS_FORK
    bnez    a0, 1f
    li      a0, 1
    SYSCALL SYS_SLEEP
1:  li      a0, 0
    SYSCALL SYS_EXIT

forkwait_failed:
    SAY     forkwait, "forkwait: FAIL\n"
    li      a0, 1
    SYSCALL SYS_EXIT

    USER_ROUTINES forkwait
PROGRAM_DATA forkwait
PROGRAM_END forkwait
