# nano/forkwait: fork, exit and wait of a small process, in toyix itself.
#
# The kernel is toyix except for its main file.  Its init is the benchmark: it forks
# as many children as its argument says, and waits for each.  It runs three times:
# once untimed, once with nothing to do, once timed.  There is no timer: the
# hart changes hands only when a process waits or ends.

    .include "include/nano.inc"
    .include "include/syscalls.inc"

    .include "lib/nano.S"
    .include "lib/timer.S"

    .include "kernels/toyix/trap.S"
    .include "kernels/toyix/sched.S"
    .include "kernels/toyix/proc.S"
    .include "kernels/toyix/life.S"
    .include "kernels/toyix/usercopy.S"
    .include "kernels/toyix/exec.S"
    .include "kernels/toyix/syscall.S"
    .include "kernels/toyix/tty.S"

    .equ COUNT, 16                      # two digits
    .equ ROUNDS, 3

    .text

# main(): does not return.
main:
    call    memory_init
    lw      t0, page_count
    sw      t0, boot_pages, t1
    j       next_round

# next_round(): gives init the next argument; the scheduler runs it.
next_round:
    lw      t0, round
    slli    t0, t0, 2
    la      t1, arguments
    add     t1, t1, t0
    lw      t0, 0(t1)                   # a few characters, as a word
    sw      t0, exec_line, t1
    call    proc_first
    READ_CYCLE s0, s1
    sw      s0, begun, t0
    sw      s1, begun + 4, t0
    j       scheduler

# machine_end(status), from toyix/life.S: init has ended.
#   1. Read how long it took.
#   2. Leave its address space and its stack, and free it.
#   3. Check that it found everything right, and that every page is free again.
#   4. Start the next round, or print the difference between the last two.
machine_end:
    mv      s0, a0
    IRQ_DISABLE
    READ_CYCLE s1, s2                   # 1
    lw      t0, begun
    lw      t1, begun + 4
    sltu    t2, s1, t0
    sub     s1, s1, t0
    sub     s2, s2, t1
    sub     s2, s2, t2

    lw      a0, kernel_satp             # 2
    call    vm_switch
    la      sp, boot_stack_top
    lw      a0, P_ROOT(tp)
    call    vm_free
    mv      a0, tp
    call    proc_free
    li      tp, 0

    snez    t0, s0                      # 3
    lw      t1, page_count
    lw      t2, boot_pages
    sub     t1, t1, t2
    snez    t1, t1
    or      t0, t0, t1
    lw      t1, failed
    or      t0, t0, t1
    sw      t0, failed, t1

    lw      t0, round                   # 4
    addi    t0, t0, 1
    sw      t0, round, t1
    li      t1, ROUNDS
    beq     t0, t1, 1f
    sw      s1, idle, t0
    sw      s2, idle + 4, t0
    j       next_round

1:  lw      t0, idle
    lw      t1, idle + 4
    sub     a2, s1, t0
    sltu    t2, s1, t0
    sub     a3, s2, t1
    sub     a3, a3, t2
    la      a0, name
    li      a1, COUNT
    li      a4, 0
    call    nano_report
    lw      t0, failed
    seqz    a0, t0
    CHECK   a0, "each child was waited for, and all pages come back"
    call    checks_failed
    SHUTDOWN a0

    .include "include/user.inc"

# init N: N times, fork a child that exits at once, and wait for it; its status
# must arrive.
PROGRAM init
    call    init_parse
    mv      s0, a0
    addi    sp, sp, -16

1:  beqz    s0, 3f
    SYSCALL SYS_FORK
    bltz    a0, 4f
    bnez    a0, 2f
    mv      a0, s0
    SYSCALL SYS_EXIT
2:  mv      s2, a0
    mv      a0, sp
    SYSCALL SYS_WAIT
    bne     a0, s2, 4f
    lw      t0, 0(sp)
    bne     t0, s0, 4f
    addi    s0, s0, -1
    j       1b

3:  li      a0, 0
    SYSCALL SYS_EXIT
4:  li      a0, 1
    SYSCALL SYS_EXIT

    USER_ROUTINES init
PROGRAM_DATA init
PROGRAM_END init

    .section .rodata
    .balign 4
programs:                               # see PROG_START and its neighbours
    .word   init_text, init_data - init_text, init_bss - init_data, 0
    .asciz  "init"
    .balign PROG_SIZE
    .word   0
name:
    .asciz  "forkwait"
    .balign 4
arguments:                              # of each round: COUNT, 0, COUNT
    .byte   '0' + COUNT / 10, '0' + COUNT % 10, 0, 0
    .byte   '0', 0, 0, 0
    .byte   '0' + COUNT / 10, '0' + COUNT % 10, 0, 0

    .bss
    .balign 4
round:
    .space  4
begun:                                  # when the round did
    .space  8
idle:                                   # what the last round took
    .space  8
failed:                                 # 1 once something has gone wrong
    .space  4
boot_pages:
    .space  4
    .text

    NANO_END
