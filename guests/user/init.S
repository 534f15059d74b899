# init: the first process.  It starts the shell, and adopts every process whose
# parent ends first.  When the shell ends, init ends, and so does the machine.

PROGRAM init
    SYSCALL SYS_FORK
    bnez    a0, 1f
    la      a0, init_shell
    SYSCALL SYS_EXEC
    SAY     init, "init: no shell\n"
    li      a0, 1
    SYSCALL SYS_EXIT

1:  mv      s0, a0                      # the shell's number
2:  addi    sp, sp, -16
    mv      a0, sp
    SYSCALL SYS_WAIT
    lw      s1, 0(sp)
    addi    sp, sp, 16
    bne     a0, s0, 2b                  # an orphan: it is freed now, wait on
    mv      a0, s1
    SYSCALL SYS_EXIT

init_shell:
    .asciz  "sh"
    .balign 4
    USER_ROUTINES init
PROGRAM_DATA init
PROGRAM_END init
