/* A test in the style of riscv-tests, in macros of our own: each case has a number,
 * which is the exit code of the first that fails.  -DWRONG adds one that must fail. */
#include "riscv_test.h"

#define TEST_RR_OP(number, inst, result, a, b)                                  \
test_##number:                                                                  \
        li      TESTNUM, number;                                                \
        li      a1, a;                                                          \
        li      a2, b;                                                          \
        inst    a4, a1, a2;                                                     \
        sw      a4, 0(s2);              /* for the signature */                 \
        addi    s2, s2, 4;                                                      \
        li      t2, result;                                                     \
        bne     a4, t2, fail;

RVTEST_RV32U
RVTEST_CODE_BEGIN
        la      s2, begin_signature

        TEST_RR_OP(2, add, 0x00000000, 0x00000000, 0x00000000)
        TEST_RR_OP(3, add, 0x00000002, 0x00000001, 0x00000001)
        TEST_RR_OP(4, add, 0x80000000, 0x7fffffff, 0x00000001)
        TEST_RR_OP(5, add, 0xfffffffe, 0xffffffff, 0xffffffff)
#ifdef WRONG
        TEST_RR_OP(6, add, 0x00000005, 0x00000002, 0x00000002)
#endif
        TEST_RR_OP(7, mulhu, 0xfffffffe, 0xffffffff, 0xffffffff)
        TEST_RR_OP(8, div, 0xffffffff, 0x00000001, 0x00000000)
        TEST_RR_OP(9, rem, 0x00000000, 0x80000000, 0xffffffff)

        RVTEST_PASS
fail:   RVTEST_FAIL
RVTEST_CODE_END

        .data
RVTEST_DATA_BEGIN
        .fill   8, 4, 0xdeadbeef
RVTEST_DATA_END
