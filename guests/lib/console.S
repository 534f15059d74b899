# Writing to the console.  Nothing is buffered: when a kernel dies, everything
# that it has written is on the console.

    .text

# putc(byte)
putc:
    CONSOLE_PUTC a0
    ret

# print(string): up to the zero byte.
print:
    PROLOGUE
    mv      s0, a0
1:  lbu     a0, 0(s0)
    beqz    a0, 2f
    CONSOLE_PUTC a0
    addi    s0, s0, 1
    j       1b
2:  EPILOGUE

# print_bytes(address, length)
print_bytes:
    PROLOGUE
    mv      s0, a0
    add     s1, a0, a1
1:  bgeu    s0, s1, 2f
    lbu     a0, 0(s0)
    CONSOLE_PUTC a0
    addi    s0, s0, 1
    j       1b
2:  EPILOGUE

# print_number(value): unsigned, decimal.
print_number:
    PROLOGUE
    # Digits come out last first.  So they are put backwards into a small
    # buffer on the stack: at most ten of them, and a zero byte.
    addi    sp, sp, -16
    addi    s0, sp, 15
    sb      zero, 0(s0)
    li      t0, 10
1:  remu    t1, a0, t0
    addi    t1, t1, '0'
    addi    s0, s0, -1
    sb      t1, 0(s0)
    divu    a0, a0, t0
    bnez    a0, 1b
    mv      a0, s0
    call    print
    addi    sp, sp, 16
    EPILOGUE

# print_hex(value): 0x and eight digits.
print_hex:
    PROLOGUE
    mv      s0, a0
    PRINT   "0x"
    li      s1, 28                      # the shift that brings down the next digit
1:  srl     a0, s0, s1
    andi    a0, a0, 15
    sltiu   t0, a0, 10
    addi    a0, a0, '0'
    bnez    t0, 2f
    addi    a0, a0, 'a' - '0' - 10
2:  CONSOLE_PUTC a0
    addi    s1, s1, -4
    bgez    s1, 1b
    EPILOGUE
