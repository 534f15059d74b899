# sh: reads a line, runs it, and waits for it, again and again until `poweroff` or the
# end of input.

    .equ SH_LINE, 0                     # in bss
    .equ SH_LINE_SIZE, 128

PROGRAM sh
    la      s0, sh_bss + SH_LINE
sh_prompt:
    SAY     sh, "$ "
    li      a0, 0
    mv      a1, s0
    li      a2, SH_LINE_SIZE - 1
    SYSCALL SYS_READ
    blez    a0, sh_eof

    # The line as a string, without the newline and without spaces in front.
    add     t0, s0, a0
    sb      zero, 0(t0)
    lbu     t1, -1(t0)
    li      t2, NEWLINE
    bne     t1, t2, 1f
    sb      zero, -1(t0)
1:  mv      s1, s0
    li      t2, ' '
2:  lbu     t1, 0(s1)
    bne     t1, t2, 3f
    addi    s1, s1, 1
    j       2b
3:  beqz    t1, sh_prompt

    # What the shell does itself.
    mv      a0, s1
    la      a1, sh_word_help
    call    sh_is
    bnez    a0, sh_help
    mv      a0, s1
    la      a1, sh_word_poweroff
    call    sh_is
    bnez    a0, sh_poweroff

    # Everything else is a program, in a child.
    SYSCALL SYS_FORK
    bltz    a0, sh_no_process
    bnez    a0, 4f
    mv      a0, s1
    SYSCALL SYS_EXEC
    mv      a0, s1
    call    sh_say
    SAY     sh, ": not found; try help\n"
    li      a0, 127
    SYSCALL SYS_EXIT
4:  mv      s2, a0
5:  li      a0, 0
    SYSCALL SYS_WAIT
    bltz    a0, sh_prompt
    bne     a0, s2, 5b
    j       sh_prompt

sh_no_process:
    SAY     sh, "sh: no process to be had\n"
    j       sh_prompt

sh_help:
    SAY     sh, "programs:  primes N  forkwait N  stress N  badguy\nbuilt in:  help  poweroff\n"
    j       sh_prompt

sh_eof:
    SAY     sh, "\n"
sh_poweroff:
    li      a0, 0
    SYSCALL SYS_EXIT

# sh_is(line, word) -> 1 if the line is only the word, or has the word before
# a space
sh_is:
    lbu     t0, 0(a0)
    lbu     t1, 0(a1)
    beqz    t1, 1f
    addi    a0, a0, 1
    addi    a1, a1, 1
    beq     t0, t1, sh_is
    li      a0, 0
    ret
1:  sltiu   a0, t0, ' ' + 1
    ret

sh_word_help:
    .asciz  "help"
sh_word_poweroff:
    .asciz  "poweroff"
    .balign 4
    USER_ROUTINES sh
PROGRAM_DATA sh
PROGRAM_END sh
