# primes N: how many primes there are up to N, and their sum.  A sieve on the
# heap, a byte for each number: computing, and memory that comes on demand.

PROGRAM primes
    lbu     t0, 0(a0)
    beqz    t0, primes_usage
    call    primes_parse
    mv      s0, a0                      # N

    # One byte for each of 0 .. N; if it is not 0, the number is crossed out.
    addi    a0, a0, 1
    SYSCALL SYS_SBRK
    li      t0, -1
    beq     a0, t0, primes_no_memory
    mv      s1, a0

    li      s2, 0                       # count
    li      s3, 0                       # sum
    li      s4, 2
    li      t1, 1
1:  bgtu    s4, s0, 3f
    add     t0, s1, s4
    lbu     t0, 0(t0)
    bnez    t0, 2f
    addi    s2, s2, 1
    add     s3, s3, s4

    # Cross out its multiples from the square on: smaller ones have a smaller
    # factor.  If the square does not fit in a word, there are none.
    mulhu   t2, s4, s4
    bnez    t2, 2f
    mul     t2, s4, s4
4:  bgtu    t2, s0, 2f
    add     t0, s1, t2
    sb      t1, 0(t0)
    add     t2, t2, s4
    j       4b

2:  addi    s4, s4, 1
    j       1b

3:  mv      a0, s2
    call    primes_say_number
    SAY     primes, " primes up to "
    mv      a0, s0
    call    primes_say_number
    SAY     primes, ", sum "
    mv      a0, s3
    call    primes_say_number
    SAY     primes, "\n"
    li      a0, 0
    SYSCALL SYS_EXIT

primes_no_memory:
    SAY     primes, "primes: no memory for so many\n"
    li      a0, 1
    SYSCALL SYS_EXIT

primes_usage:
    SAY     primes, "usage: primes N\n"
    li      a0, 2
    SYSCALL SYS_EXIT

    USER_ROUTINES primes
PROGRAM_DATA primes
PROGRAM_END primes
