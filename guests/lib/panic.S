# The end of a kernel that cannot go on, and the words for why.

    .text

# panic(string): does not return.
panic:
    mv      s0, a0
    IRQ_DISABLE
    PRINT   "panic: "
    mv      a0, s0
    call    print
    PRINT   "\n"
    li      a0, 1
    SHUTDOWN a0

# panic_trap(frame, cause, value): a trap that the kernel cannot handle.
panic_trap:
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    IRQ_DISABLE
    PRINT   "panic: "
    mv      a0, s1
    mv      a1, s2
    lw      a2, FRAME_PC(s0)
    call    print_cause
    PRINT   "\n"
    li      a0, 1
    SHUTDOWN a0

# print_cause(cause, value, pc): "store page fault at pc 0x... address 0x...".
# Illegal instructions and others have no address, and harts differ in what stval
# holds for them.
print_cause:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    call    cause_name
    call    print
    PRINT   " at pc "
    mv      a0, s2
    call    print_hex

    li      t0, (1 << EXC_LOAD_MISALIGNED) | (1 << EXC_LOAD_ACCESS) | (1 << EXC_STORE_MISALIGNED) | (1 << EXC_STORE_ACCESS) | (1 << EXC_FETCH_PAGE) | (1 << EXC_LOAD_PAGE) | (1 << EXC_STORE_PAGE)
    li      t1, 32
    bgeu    s0, t1, 1f                  # interrupts have no address either
    srl     t0, t0, s0
    andi    t0, t0, 1
    beqz    t0, 1f
    PRINT   " address "
    mv      a0, s1
    call    print_hex
1:  EPILOGUE

# cause_name(cause) -> string
cause_name:
    la      t0, cause_names
1:  lw      t1, 4(t0)
    beqz    t1, 2f                      # the last row is for all others
    lw      t2, 0(t0)
    beq     t2, a0, 3f
    addi    t0, t0, 8
    j       1b
2:  la      t1, cause_unknown
3:  mv      a0, t1
    ret

    .section .rodata
    .balign 4
cause_names:
    .word   EXC_INSN_MISALIGNED, 1f
    .word   EXC_INSN_ACCESS, 2f
    .word   EXC_ILLEGAL, 3f
    .word   EXC_BREAKPOINT, 4f
    .word   EXC_LOAD_MISALIGNED, 5f
    .word   EXC_LOAD_ACCESS, 6f
    .word   EXC_STORE_MISALIGNED, 7f
    .word   EXC_STORE_ACCESS, 8f
    .word   EXC_ECALL_U, 9f
    .word   EXC_FETCH_PAGE, 10f
    .word   EXC_LOAD_PAGE, 11f
    .word   EXC_STORE_PAGE, 12f
    .word   0, 0
1:  .asciz  "instruction address misaligned"
2:  .asciz  "instruction access fault"
3:  .asciz  "illegal instruction"
4:  .asciz  "breakpoint"
5:  .asciz  "load address misaligned"
6:  .asciz  "load access fault"
7:  .asciz  "store address misaligned"
8:  .asciz  "store access fault"
9:  .asciz  "environment call"
10: .asciz  "instruction page fault"
11: .asciz  "load page fault"
12: .asciz  "store page fault"
cause_unknown:
    .asciz  "unexpected trap"
