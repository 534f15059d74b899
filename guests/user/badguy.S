# badguy: does everything that a program must not do, each in a child of its own.  The
# kernel must kill every child, for the right reason, and no other process.

    .equ BADGUY_KERNEL, 0x80000000
    .equ BADGUY_WINDOW, 0xfffffffc      # where a VMM may live
    .equ BADGUY_NOWHERE, 0x50000000     # neither heap nor stack

PROGRAM badguy
    addi    sp, sp, -16
    la      s0, badguy_deeds            # row
    li      s1, 0                       # deeds
    li      s2, 0                       # deeds that ended as they should
    la      s4, badguy_deeds

    # A row is the distance of a routine, and the status its child must have.
1:  lw      t0, 0(s0)
    beqz    t0, 3f
    SYSCALL SYS_FORK
    bltz    a0, badguy_failed
    bnez    a0, 2f
    lw      t0, 0(s0)
    add     t0, t0, s4
    jalr    t0
    li      a0, 0                       # nobody stopped it
    SYSCALL SYS_EXIT

2:  mv      a0, sp
    SYSCALL SYS_WAIT
    addi    s1, s1, 1
    lw      t0, 0(sp)
    lw      t1, 4(s0)
    addi    s0, s0, 8
    bne     t0, t1, 1b
    addi    s2, s2, 1
    j       1b

3:  SAY     badguy, "badguy: "
    mv      a0, s2
    call    badguy_say_number
    SAY     badguy, " of "
    mv      a0, s1
    call    badguy_say_number
    SAY     badguy, " killed\n"
    bne     s1, s2, badguy_failed

    # What system calls must refuse, without harm to anyone.
    call    badguy_calls
    bnez    a0, badguy_failed
    SAY     badguy, "badguy: bad system calls refused\n"
    li      a0, 0
    SYSCALL SYS_EXIT

badguy_failed:
    SAY     badguy, "badguy: FAIL\n"
    li      a0, 1
    SYSCALL SYS_EXIT

.macro DEED label, cause
    .word   \label - badguy_deeds, KILLED + \cause
.endm

    .balign 4
badguy_deeds:
    DEED    badguy_read_kernel, EXC_LOAD_PAGE
    DEED    badguy_write_kernel, EXC_STORE_PAGE
    DEED    badguy_run_kernel, EXC_FETCH_PAGE
    DEED    badguy_read_window, EXC_LOAD_PAGE
    DEED    badguy_run_data, EXC_FETCH_PAGE
    DEED    badguy_write_text, EXC_STORE_PAGE
    DEED    badguy_run_null, EXC_FETCH_PAGE
    DEED    badguy_write_nowhere, EXC_STORE_PAGE
    DEED    badguy_overflow, EXC_STORE_PAGE
    DEED    badguy_read_sstatus, EXC_ILLEGAL
    DEED    badguy_write_satp, EXC_ILLEGAL
    DEED    badguy_sret, EXC_ILLEGAL
    DEED    badguy_wfi, EXC_ILLEGAL
    DEED    badguy_sfence, EXC_ILLEGAL
    DEED    badguy_no_instruction, EXC_ILLEGAL
    DEED    badguy_ebreak, EXC_BREAKPOINT
    .word   0

badguy_read_kernel:
    li      t0, BADGUY_KERNEL
    lw      t1, 0(t0)
    ret

badguy_write_kernel:
    li      t0, BADGUY_KERNEL
    sw      zero, 0(t0)
    ret

badguy_run_kernel:
    li      t0, BADGUY_KERNEL
    jr      t0

badguy_read_window:
    li      t0, BADGUY_WINDOW
    lw      t1, 0(t0)
    ret

# Put a `ret` into data, where it may be stored, and call it.
badguy_run_data:
    la      t0, badguy_store
    la      t1, badguy_return
    lw      t1, 0(t1)
    sw      t1, 0(t0)
    fence.i
    jr      t0
badguy_return:
    ret

badguy_write_text:
    la      t0, badguy_return
    sw      zero, 0(t0)
    ret

badguy_run_null:
    jr      zero

badguy_write_nowhere:
    li      t0, BADGUY_NOWHERE
    sw      zero, 0(t0)
    ret

# Call itself until the stack is used up.
badguy_overflow:
    addi    sp, sp, -16
    sw      ra, 12(sp)
    call    badguy_overflow
    ret

badguy_read_sstatus:
    csrr    t0, sstatus
    ret

badguy_write_satp:
    csrw    satp, zero
    ret

badguy_sret:
    sret

badguy_wfi:
    wfi
    ret

badguy_sfence:
    sfence.vma
    ret

badguy_no_instruction:
    .word   0
    ret

badguy_ebreak:
    ebreak
    ret

# badguy_calls() -> 0 if the kernel refuses each.  s3 collects answers: all -1.
badguy_calls:
    li      s3, -1
    li      a0, 1                       # write bytes of the kernel
    li      a1, BADGUY_KERNEL
    li      a2, 4
    SYSCALL SYS_WRITE
    and     s3, s3, a0
    li      a0, 1                       # bytes from below the kernel, across the border
    li      a1, BADGUY_KERNEL - 4
    li      a2, 8
    SYSCALL SYS_WRITE
    and     s3, s3, a0
    li      a0, 1                       # so many that address + length wraps
    la      a1, badguy_deeds
    li      a2, -4
    SYSCALL SYS_WRITE
    and     s3, s3, a0
    li      a0, 1                       # bytes where nothing is mapped
    li      a1, BADGUY_NOWHERE
    li      a2, 4
    SYSCALL SYS_WRITE
    and     s3, s3, a0
    li      a0, 7                       # to an unknown file
    la      a1, badguy_deeds
    li      a2, 4
    SYSCALL SYS_WRITE
    and     s3, s3, a0
    li      a0, BADGUY_KERNEL           # exec with a name in the kernel's memory
    SYSCALL SYS_EXEC
    and     s3, s3, a0
    la      a0, badguy_deeds            # exec of a program that does not exist
    SYSCALL SYS_EXEC
    and     s3, s3, a0
    li      a0, 0                       # wait without a child
    SYSCALL SYS_WAIT
    and     s3, s3, a0
    li      a0, -4096                   # make the heap smaller than empty
    SYSCALL SYS_SBRK
    and     s3, s3, a0
    li      a0, 0x7fffffff              # make it larger than memory
    SYSCALL SYS_SBRK
    and     s3, s3, a0
    SYSCALL 0                           # no such call
    and     s3, s3, a0
    SYSCALL SYS_LAST + 1
    and     s3, s3, a0

    # Store a child's status into the kernel, or into its own text: both fail, and the
    # child can still be waited for.
    SYSCALL SYS_FORK
    bltz    a0, 1f
    bnez    a0, 2f
    SYSCALL SYS_EXIT
2:  li      a0, BADGUY_KERNEL
    SYSCALL SYS_WAIT
    and     s3, s3, a0
    la      a0, badguy_return
    SYSCALL SYS_WAIT
    and     s3, s3, a0
    li      a0, 0
    SYSCALL SYS_WAIT
    bltz    a0, 1f
    addi    a0, s3, 1
    ret
1:  li      a0, 1
    ret

    USER_ROUTINES badguy
PROGRAM_DATA badguy
badguy_store:
    .word   0
PROGRAM_END badguy
