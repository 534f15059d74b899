/* An environment for tests in the style of riscv-tests and riscv-arch-test, our own:
 * the machine starts in S, so there is no M-mode code, and a test's traps come to
 * its own handler in S.
 *
 *   riscv-tests        RVTEST_RV32U or RVTEST_RV32S, RVTEST_CODE_BEGIN, RVTEST_PASS,
 *                      RVTEST_FAIL, RVTEST_CODE_END, RVTEST_DATA_BEGIN, RVTEST_DATA_END
 *   riscv-arch-test    RVMODEL_BOOT, RVMODEL_HALT, RVMODEL_DATA_BEGIN, RVMODEL_DATA_END
 *
 * The end is a store to `tohost`: 1 is a pass, otherwise the test's number is in the
 * upper 31 bits and becomes the guest's exit code.
 */
#ifndef TOYVMM_RISCV_TEST_H
#define TOYVMM_RISCV_TEST_H

#define TESTNUM gp

/* What a test of the suite says about itself.  RV32U runs in U, RV32S in S. */
#define RVTEST_RV32U    .macro init; ENTER_U; .endm
#define RVTEST_RV32S    .macro init; .endm
#define RVTEST_RV64U    RVTEST_RV32U
#define RVTEST_RV64S    RVTEST_RV32S

/* From S to the next instruction in U: SPP = 0, sepc, sret.  Paging stays off, so
 * that U reaches all memory. */
#define ENTER_U                                                                 \
        li      t0, 0x100;              /* sstatus.SPP */                       \
        csrc    sstatus, t0;                                                    \
        la      t0, 1f;                                                         \
        csrw    sepc, t0;                                                       \
        sret;                                                                   \
1:

#define RVTEST_CODE_BEGIN                                                       \
        .section .text.init;                                                    \
        .globl  _start;                                                         \
_start: la      t0, trap_vector;                                                \
        csrw    stvec, t0;                                                      \
        li      TESTNUM, 0;                                                     \
        j       test_begin;                                                     \
        .balign 4;                                                              \
        .weak   stvec_handler;          /* a test of S may bring its own */     \
trap_vector:                                                                    \
        csrr    t5, scause;                                                     \
        li      t6, 8;                  /* ecall from U: pass or fail */        \
        beq     t5, t6, write_tohost;                                           \
        la      t5, stvec_handler;                                              \
        beqz    t5, 1f;                                                         \
        jr      t5;                                                             \
1:      ori     TESTNUM, TESTNUM, 1337; /* a trap that no test expects */       \
write_tohost:                                                                   \
        la      t5, tohost;                                                     \
        sw      TESTNUM, 0(t5);                                                 \
        sw      zero, 4(t5);                                                    \
1:      j       1b;                                                             \
test_begin:                                                                     \
        init

#define RVTEST_CODE_END unimp

/* In S there is nobody to call: both ends store to `tohost` themselves. */
#define RVTEST_PASS                                                             \
        fence;                                                                  \
        li      TESTNUM, 1;                                                     \
        j       write_tohost

#define RVTEST_FAIL                                                             \
        fence;                                                                  \
1:      beqz    TESTNUM, 1b;                                                    \
        sll     TESTNUM, TESTNUM, 1;                                            \
        or      TESTNUM, TESTNUM, 1;                                            \
        j       write_tohost

#define EXTRA_DATA

#define RVTEST_DATA_BEGIN                                                       \
        EXTRA_DATA                                                              \
        .pushsection .tohost, "aw", @progbits;                                  \
        .align  6; .globl tohost;   tohost:   .dword 0;                         \
        .align  6; .globl fromhost; fromhost: .dword 0;                         \
        .popsection;                                                            \
        .align  4; .globl begin_signature; begin_signature:

#define RVTEST_DATA_END .align 4; .globl end_signature; end_signature:

/* riscv-arch-test's names for a model's parts. */
#define RVMODEL_BOOT                                                            \
        la      t0, rvmodel_trap;                                               \
        csrw    stvec, t0;
#define RVMODEL_HALT                                                            \
        li      t1, 1;                                                          \
        j       1f;                                                             \
        .balign 4;                                                              \
rvmodel_trap:                                                                   \
        li      t1, 1337;                                                       \
1:      la      t0, tohost;                                                     \
        sw      t1, 0(t0);                                                      \
        sw      zero, 4(t0);                                                    \
2:      j       2b;
#define RVMODEL_DATA_BEGIN RVTEST_DATA_BEGIN
#define RVMODEL_DATA_END RVTEST_DATA_END
#define RVMODEL_IO_INIT
#define RVMODEL_IO_WRITE_STR(_SP, _STR)
#define RVMODEL_IO_CHECK()
#define RVMODEL_IO_ASSERT_GPR_EQ(_SP, _R, _I)
#define RVMODEL_SET_MSW_INT
#define RVMODEL_CLEAR_MSW_INT
#define RVMODEL_CLEAR_MTIMER_INT
#define RVMODEL_CLEAR_MEXT_INT

#endif
