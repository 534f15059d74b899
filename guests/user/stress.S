# stress N: N children at once.  Each fills and checks its memory and registers
# over and over while the timer takes the hart away from it.  All use the
# same addresses; if one finds another's values, that is a fault of the kernel.

    .equ STRESS_TICKS, 8                # how long each goes on
    .equ STRESS_HEAP, 32768
    .equ STRESS_DEPTH, 200              # calls deep, 128 bytes each
    .equ STRESS_SPIN, 30000

PROGRAM stress
    li      s0, 4
    lbu     t0, 0(a0)
    beqz    t0, 1f
    call    stress_parse
    mv      s0, a0
1:  li      s1, 0                       # children made
2:  bgeu    s1, s0, 3f
    SYSCALL SYS_FORK
    beqz    a0, stress_child
    bltz    a0, 3f
    addi    s1, s1, 1
    j       2b

    # Who ends first depends on the timer; the sum does not.
3:  li      s2, 0                       # number of children that found all values right
    addi    sp, sp, -16
4:  mv      a0, sp
    SYSCALL SYS_WAIT
    bltz    a0, 5f
    lw      t0, 0(sp)
    seqz    t0, t0
    add     s2, s2, t0
    j       4b
5:  SAY     stress, "stress: "
    mv      a0, s2
    call    stress_say_number
    SAY     stress, " of "
    mv      a0, s0
    call    stress_say_number
    SAY     stress, " children found all as they left it\n"
    bne     s0, s2, stress_failed

    # Two more: one that keeps the hart as long as it can, and after
    # it one that only ends.  If the second ends first, the first had to
    # share the hart.
    SYSCALL SYS_FORK
    beqz    a0, stress_hog
    SYSCALL SYS_FORK
    bnez    a0, 6f
    SYSCALL SYS_EXIT
6:  mv      s3, a0
    li      a0, 0
    SYSCALL SYS_WAIT
    bne     a0, s3, stress_failed
    li      a0, 0
    SYSCALL SYS_WAIT
    SAY     stress, "stress: a child that does not yield was preempted\n"
    li      a0, 0
    SYSCALL SYS_EXIT

stress_hog:
    SYSCALL SYS_UPTIME
    addi    s3, a0, STRESS_TICKS
1:  li      t0, 1000
2:  addi    t0, t0, -1
    bnez    t0, 2b
    SYSCALL SYS_UPTIME
    sub     t0, a0, s3
    bltz    t0, 1b
    li      a0, 0
    SYSCALL SYS_EXIT

# A child.  s1 = its seed, s2 = its heap, s3 = when to end, s4 = its number.
#   1. Its data is a copy: the initial value is there, even if another child has changed its own.
#   2. Its heap and bss are zeros.
#   3. Until the time is up: fill and check heap, stack, registers, and a
#      counter in bss that all children have at the same address.
stress_child:
    SYSCALL SYS_GETPID
    mv      s4, a0
    li      t0, 0x9e3779b1
    mul     s1, a0, t0
    SYSCALL SYS_UPTIME
    addi    s3, a0, STRESS_TICKS

    la      s5, stress_mine             # 1
    lw      t0, 0(s5)
    li      t1, 0x57e55ed
    bne     t0, t1, stress_failed
    sw      s4, 0(s5)

    li      a0, STRESS_HEAP             # 2
    SYSCALL SYS_SBRK
    mv      s2, a0
    li      t0, STRESS_HEAP
    add     t1, s2, t0
1:  lw      t2, 0(a0)
    bnez    t2, stress_failed
    addi    a0, a0, 4
    bltu    a0, t1, 1b
    la      s6, stress_bss
    lw      t0, 0(s6)
    bnez    t0, stress_failed
    li      s7, 0                       # rounds

stress_round:
    addi    s7, s7, 1                   # 3
    mv      a0, s1
    call    stress_fill
    mv      a0, s1
    call    stress_check
    bnez    a0, stress_failed
    mv      s1, a1                      # how far the sequence has got
    li      a0, STRESS_DEPTH
    call    stress_deep
    bnez    a0, stress_failed
    call    stress_registers
    bnez    a0, stress_failed

    # Load-reserved, store-conditional: an interrupt in between makes the store
    # fail, and the loop try again.
2:  lr.w    t0, (s6)
    addi    t0, t0, 1
    sc.w    t1, t0, (s6)
    bnez    t1, 2b
    lw      t0, 0(s6)
    bne     t0, s7, stress_failed
    lw      t0, 0(s5)
    bne     t0, s4, stress_failed
    SYSCALL SYS_GETPID
    bne     a0, s4, stress_failed

    # Now and then give the hart away, or sleep, in place of being preempted.
    andi    t0, s7, 15
    bnez    t0, 3f
    SYSCALL SYS_YIELD
3:  andi    t0, s7, 63
    bnez    t0, 4f
    li      a0, 1
    SYSCALL SYS_SLEEP
4:  SYSCALL SYS_UPTIME
    sub     t0, a0, s3
    bltz    t0, stress_round

    # Give back half of the heap, and get it again: it must be zeros once more.
    li      a0, -STRESS_HEAP / 2
    SYSCALL SYS_SBRK
    li      a0, STRESS_HEAP / 2
    SYSCALL SYS_SBRK
    lw      t0, 0(a0)
    bnez    t0, stress_failed
    li      a0, 0
    SYSCALL SYS_EXIT

stress_failed:
    SAY     stress, "stress: FAIL\n"
    li      a0, 1
    SYSCALL SYS_EXIT

# STRESS_STEP reg: the next number of a xorshift sequence.  Changes t0.
.macro STRESS_STEP reg
    slli    t0, \reg, 13
    xor     \reg, \reg, t0
    srli    t0, \reg, 17
    xor     \reg, \reg, t0
    slli    t0, \reg, 5
    xor     \reg, \reg, t0
.endm

# stress_fill(seed): fill the heap with the sequence.
stress_fill:
    mv      t1, s2
    li      t2, STRESS_HEAP
    add     t2, s2, t2
1:  STRESS_STEP a0
    sw      a0, 0(t1)
    addi    t1, t1, 4
    bltu    t1, t2, 1b
    ret

# stress_check(seed) -> a0 = 0 if the sequence is there, a1 = its last value
stress_check:
    mv      t1, s2
    li      t2, STRESS_HEAP
    add     t2, s2, t2
    li      a2, 0
1:  STRESS_STEP a0
    lw      t3, 0(t1)
    xor     t3, t3, a0
    or      a2, a2, t3
    addi    t1, t1, 4
    bltu    t1, t2, 1b
    mv      a1, a0
    mv      a0, a2
    ret

# stress_deep(depth) -> 0 if every call found its own value on the way back.
stress_deep:
    addi    sp, sp, -128
    sw      ra, 124(sp)
    sw      a0, 120(sp)
    xor     t0, a0, s4
    sw      t0, 0(sp)
    addi    a0, a0, -1
    beqz    a0, 1f
    call    stress_deep
    bnez    a0, 2f
1:  lw      t0, 0(sp)
    lw      t1, 120(sp)
    xor     t1, t1, s4
    sub     a0, t0, t1
2:  lw      ra, 124(sp)
    addi    sp, sp, 128
    ret

# stress_registers() -> 0 if every register keeps its value while this loops,
# long enough to be interrupted now and then.  The values are the process's own:
# another process has others. ra counts, and holds what else is needed.
stress_registers:
    addi    sp, sp, -64
    sw      ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sw      s\n, 4 + 4*\n(sp)
    .endr
    sw      s4, 60(sp)
    mv      ra, s4
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li      x\n, 0x01010101 * \n
    xor     x\n, x\n, ra
    .endr
    li      ra, STRESS_SPIN
1:  addi    ra, ra, -1
    bnez    ra, 1b
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lw      ra, 60(sp)
    xor     x\n, x\n, ra
    li      ra, 0x01010101 * \n
    bne     x\n, ra, 2f
    .endr
    li      a0, 0
    j       3f
2:  li      a0, 1
3:  lw      ra, 0(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    lw      s\n, 4 + 4*\n(sp)
    .endr
    addi    sp, sp, 64
    ret

    USER_ROUTINES stress
PROGRAM_DATA stress
stress_mine:
    .word   0x57e55ed
PROGRAM_END stress
