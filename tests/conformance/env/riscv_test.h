/* An environment for riscv-tests, our own: the machine starts in S, so there is no M-mode code,
 * and a test's traps come to its own handler in S.
 *
 *   RVTEST_RV32U or RVTEST_RV32S, RVTEST_CODE_BEGIN, RVTEST_PASS, RVTEST_FAIL,
 *   RVTEST_CODE_END, RVTEST_DATA_BEGIN, RVTEST_DATA_END
 *
 * The end is a store to `tohost`: 1 is a pass, otherwise the test's number is in the
 * upper 31 bits and becomes the guest's exit code.
 */
#ifndef TOYVMM_RISCV_TEST_H
#define TOYVMM_RISCV_TEST_H

/* Names of bits and causes: the suite's own file, in riscv-tests/env. */
#if __has_include("encoding.h")
# include "encoding.h"
#endif
#include "halt.h"

#define TESTNUM gp

/* What a test of the suite says about itself.  RV32U runs in U, RV32S in S. */
#define RVTEST_RV32U    .macro init; TOYVMM_ENTER_U; .endm
#define RVTEST_RV32S    .macro init; .endm
#define RVTEST_RV64U    RVTEST_RV32U
#define RVTEST_RV64S    RVTEST_RV32S

/* From S to the next instruction in U: SPP = 0, sepc, sret.  Paging stays off, so
 * that U reaches all memory. */
#define TOYVMM_ENTER_U                                                          \
        li      t0, 0x100;              /* sstatus.SPP */                       \
        csrc    sstatus, t0;                                                    \
        la      t0, 1f;                                                         \
        csrw    sepc, t0;                                                       \
        sret;                                                                   \
1:

/* A test of S may bring its own handler: then all its traps are its own, as they are delegated
 * to it elsewhere. */
#define RVTEST_CODE_BEGIN                                                       \
        .section .text.init;                                                    \
        .weak   stvec_handler;                                                  \
        .globl  _start;                                                         \
        .globl  rvtest_entry_point;     /* link.ld's name for it */             \
_start:                                                                         \
rvtest_entry_point:                                                             \
        la      t0, stvec_handler;                                              \
        bnez    t0, 1f;                                                         \
        la      t0, trap_vector;                                                \
1:      csrw    stvec, t0;                                                      \
        li      TESTNUM, 0;                                                     \
        j       toyvmm_begin;                                                   \
        .balign 4;                                                              \
trap_vector:                            /* a trap that no test expects */       \
        ori     TESTNUM, TESTNUM, TOYVMM_UNEXPECTED_TRAP;                       \
write_tohost:                                                                   \
        la      t5, tohost;                                                     \
        sw      TESTNUM, 0(t5);                                                 \
        sw      zero, 4(t5);                                                    \
        j       write_tohost;                                                   \
toyvmm_begin:                                                                   \
        init

#define RVTEST_CODE_END unimp

/* There is nobody to call: both ends store to `tohost` themselves, from S and from U. */
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
        TOYVMM_TOHOST_SECTION                                                   \
        .align  4; .globl begin_signature; begin_signature:

#define RVTEST_DATA_END .align 4; .globl end_signature; end_signature:

#endif
