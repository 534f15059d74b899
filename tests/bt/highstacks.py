"""A kernel like xv6: its stacks, its trap frames and its trampoline are at high addresses.

    HIGH            the trampoline: saves a process's registers, goes to the kernel's space
    HIGH - 0x1000   in a process's space: its trap frame, S only
    below           in the kernel's space: kernel stacks, each above a guard page
    0x8000_0000     the kernel, mapped to itself
    0x0000_0000     in a process's space: the process; in the kernel's: nothing

Two processes run in turn.  A system call sums an array on the kernel stack, and then by a
recursion.  Must not know what runs it.
"""

import asm

XV6_HIGH = 0xFFFF_F000

SOURCE = """
    .equ KROOT, 0x80100000
    .equ KTOP, 0x80101000
    .equ PROC0, 0x80110000              # for each process 64 KiB: see below
    .equ UROOT, 0
    .equ ULOW, 0x1000
    .equ UTOP, 0x2000
    .equ UCODE, 0x3000
    .equ TRAPFRAME, 0x4000
    .equ KSTACK, 0x5000
    .equ USTACK, 0x6000
    .equ TOP_INDEX, (HIGH >> 12) & 0x3ff
    .equ FRAME, HIGH - 0x1000
    .equ S_RW, 0xc7
    .equ S_RX, 0xcb
    .equ U_RX, 0xdb
    .equ U_RW, 0xd7

    .macro entry table, index, frame, flags
    li      t0, (\\table) + 4 * (\\index)
    li      t1, (\\frame) >> 12 << 10 | (\\flags)
    sw      t1, 0(t0)
    .endm
    .macro process p
    .equ P, PROC0 + 0x10000 * \\p
    entry   P + UROOT, 0, P + ULOW, 1
    entry   P + UROOT, HIGH >> 22, P + UTOP, 1
    entry   P + ULOW, 0, P + UCODE, U_RX
    entry   P + ULOW, 2, P + USTACK, U_RW
    entry   P + UTOP, TOP_INDEX, 0x80000000, S_RX
    entry   P + UTOP, TOP_INDEX - 1, P + TRAPFRAME, S_RW
    entry   KTOP, TOP_INDEX - 2 * \\p - 2, P + KSTACK, S_RW
    li      s0, P + TRAPFRAME
    li      t0, HIGH - 0x2000 * \\p - 0x1000
    sw      t0, 128(s0)                 # the kernel's sp, satp, trap handler
    csrr    t0, satp
    sw      t0, 132(s0)
    la      t0, usertrap
    sw      t0, 136(s0)
    sw      zero, 140(s0)               # the process's pc
    li      t0, 0x3000 - 16
    sw      t0, 8(s0)
    li      t0, \\p
    sw      t0, 40(s0)
    li      a0, P + UCODE
    la      a1, program
    li      a2, program_end - program
    jal     copy
    .endm

trampoline:                             # the first page of RAM
uservec:
    csrrw   a0, sscratch, a0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sw      x\\n, 4 * \\n(a0)
    .endr
    csrr    t0, sscratch
    sw      t0, 40(a0)
    lw      sp, 128(a0)
    lw      t0, 136(a0)
    lw      t1, 132(a0)
    csrw    satp, t1
    sfence.vma
    li      t1, FRAME
    csrw    sscratch, t1
    jr      t0
userret:
    csrw    satp, a0
    sfence.vma
    li      a0, FRAME
    lw      t0, 40(a0)
    csrw    sscratch, t0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lw      x\\n, 4 * \\n(a0)
    .endr
    csrrw   a0, sscratch, a0
    sret

    .align 12
program:                                # in U at 0
    sw      a0, 0(sp)
    li      t0, 50
1:  lw      t1, 0(sp)
    addi    t1, t1, 3
    sw      t1, 0(sp)
    addi    t0, t0, -1
    bnez    t0, 1b
    lw      a0, 0(sp)
    ecall
    j       program
program_end:

    .globl _start
_start:
    la      t0, oops
    csrw    stvec, t0
    la      sp, boot_stack
    entry   KROOT, 0x200, 0x80000000, 0xcf
    entry   KROOT, 0x40, 0x10000000, S_RW
    entry   KROOT, HIGH >> 22, KTOP, 1
    entry   KTOP, TOP_INDEX, 0x80000000, S_RX
    li      t0, 0x80000000 | KROOT >> 12
    csrw    satp, t0
    sfence.vma
    process 0
    process 1
    li      s1, PROC0                   # the current process
    li      s2, ROUNDS
    la      t0, rounds
    sw      s2, 0(t0)
    li      t0, FRAME
    csrw    sscratch, t0
    j       usertrapret

copy:                                   # a2 bytes from a1 to a0
    lw      t0, 0(a1)
    sw      t0, 0(a0)
    addi    a0, a0, 4
    addi    a1, a1, 4
    addi    a2, a2, -4
    bgtz    a2, copy
    ret

usertrap:                               # on the kernel stack of the current process
    la      t0, oops
    csrw    stvec, t0
    la      t0, current
    lw      s1, 0(t0)
    li      t0, TRAPFRAME
    add     s0, s1, t0
    csrr    t0, scause
    li      t1, 8
    bne     t0, t1, oops
    csrr    t0, sepc
    addi    t0, t0, 4
    sw      t0, 140(s0)
    lw      a0, 40(s0)
    jal     work
    sw      a0, 40(s0)
    la      t0, rounds
    lw      t1, 0(t0)
    addi    t1, t1, -1
    sw      t1, 0(t0)
    beqz    t1, done
    li      t1, PROC0
    sub     s1, s1, t1
    li      t0, 0x10000
    xor     s1, s1, t0
    add     s1, s1, t1
usertrapret:
    la      t0, current
    sw      s1, 0(t0)
    li      t0, HIGH
    csrw    stvec, t0
    li      t0, TRAPFRAME
    add     s0, s1, t0
    lw      t0, 140(s0)
    csrw    sepc, t0
    li      t0, 1 << 8
    csrc    sstatus, t0
    li      t0, 1 << 5
    csrs    sstatus, t0
    srli    a0, s1, 12
    li      t0, 0x80000000
    or      a0, a0, t0
    li      t0, HIGH + (userret - trampoline)
    jr      t0

work:                                   # a0 = what the call makes of a0
    addi    sp, sp, -288
    sw      ra, 284(sp)
    li      t0, 64
    mv      t1, sp
1:  sw      a0, 0(t1)
    addi    a0, a0, 7
    addi    t1, t1, 4
    addi    t0, t0, -1
    bnez    t0, 1b
    li      t0, 64
    mv      t1, sp
2:  lw      t2, 0(t1)
    xor     a0, a0, t2
    addi    t1, t1, 4
    addi    t0, t0, -1
    bnez    t0, 2b
    li      a1, DEPTH
    jal     recurse
    lw      ra, 284(sp)
    addi    sp, sp, 288
    ret

recurse:
    addi    sp, sp, -16
    sw      ra, 12(sp)
    sw      s0, 8(sp)
    mv      s0, a1
    addi    a1, a1, -1
    beqz    s0, 1f
    jal     recurse
1:  add     a0, a0, s0
    slli    t0, a0, 3
    xor     a0, a0, t0
    lw      s0, 8(sp)
    lw      ra, 12(sp)
    addi    sp, sp, 16
    ret

done:
    lw      s2, 40(s0)                  # a word of hexadecimal
    li      s3, 8
1:  srli    t0, s2, 28
    slli    s2, s2, 4
    la      t1, digits
    add     t0, t0, t1
    lbu     t0, 0(t0)
    li      t1, 0x10000000
    sb      t0, 0(t1)
    addi    s3, s3, -1
    bnez    s3, 1b
    li      t0, 10
    sb      t0, 0(t1)
oops:
    li      a7, 8
    ecall
    j       oops

digits: .ascii "0123456789abcdef"
    .data
    .align 12
current: .word PROC0
rounds: .word 0

    .bss
    .align 4
    .space 4096
boot_stack:
"""


def elf(*, high: int = XV6_HIGH, rounds: int = 40, depth: int = 60) -> bytes:
    """The kernel with that many system calls in all; `high` is the trampoline's page."""
    settings = {"HIGH": high, "ROUNDS": rounds, "DEPTH": depth}
    lines = "".join(f"    .equ {name}, {value:#x}\n" for name, value in settings.items())
    return asm.assemble_text(lines + SOURCE).elf()
