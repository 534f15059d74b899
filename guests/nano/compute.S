# nano/compute: a user program that only computes and makes no calls: the sieve
# of Eratosthenes over bytes, about half of it memory and half integer work.

    .include "include/nano.inc"
    .include "lib/nano.S"
    .include "lib/nanouser.S"

    .equ COUNT, 8                       # sieves
    .equ LIMIT, 10000                   # primes below it
    .equ PRIMES, 1229                   # there are

    .text

# main() -> the machine's exit code
main:
    PROLOGUE
    call    nano_init
    call    user_init
    li      s0, NANO_VA
    li      s1, NANO_VA + LIMIT
1:  mv      a0, s0
    li      a1, 0
    li      a2, PTE_USER_DATA
    call    nano_map
    li      t0, PAGE_SIZE
    add     s0, s0, t0
    bltu    s0, s1, 1b

    NANO    compute, COUNT, sieves, no_sieves
    CHECK_EQUAL a0, COUNT * PRIMES, "each sieve finds as many primes as there are"
    call    checks_failed
    EPILOGUE

RUN_IN_USER sieves, user_sieves, trap_entry
RUN_IN_USER no_sieves, user_no_sieves, trap_entry

# s2 the bytes, 1 for a composite; s3 LIMIT; t0 the number looked at.
USER_CODE
USER_OPERATION user_sieves
    li      s2, NANO_VA
    li      s3, LIMIT
BODY
    mv      t1, s2                      # nothing is crossed out yet
    add     t2, s2, s3
1:  sw      zero, 0(t1)
    addi    t1, t1, 4
    bltu    t1, t2, 1b

    li      t0, 2
    li      t3, 1
2:  add     t1, s2, t0
    lbu     t2, 0(t1)
    bnez    t2, 4f
    addi    s1, s1, 1
    mul     t1, t0, t0                  # smaller multiples have smaller factors
    bgeu    t1, s3, 4f
    add     t1, t1, s2
    add     t2, s2, s3
3:  sb      t3, 0(t1)
    add     t1, t1, t0
    bltu    t1, t2, 3b
4:  addi    t0, t0, 1
    bltu    t0, s3, 2b
USER_END

USER_OPERATION user_no_sieves
BODY
USER_END
USER_CODE_END

    NANO_END
