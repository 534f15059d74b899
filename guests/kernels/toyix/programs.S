# The programs, as they lie in the kernel's image, and the table of them.

    .include "include/user.inc"

    .include "user/init.S"
    .include "user/sh.S"
    .include "user/primes.S"
    .include "user/forkwait.S"
    .include "user/stress.S"
    .include "user/badguy.S"

# PROGRAM_ROW name, bss: see PROG_START and its neighbours for the columns.
.macro PROGRAM_ROW name, bss
    .word   \name\()_text
    .word   \name\()_data - \name\()_text
    .word   \name\()_bss - \name\()_data
    .word   \bss
    .asciz  "\name"
    .balign PROG_SIZE
.endm

    .section .rodata
    .balign PROG_SIZE
programs:
    PROGRAM_ROW init, 0
    PROGRAM_ROW sh, 4096
    PROGRAM_ROW primes, 0
    PROGRAM_ROW forkwait, 0
    PROGRAM_ROW stress, 4096
    PROGRAM_ROW badguy, 0
    .word   0
    .text
