/* The model's part of a riscv-arch-test of the kind that includes "model_test.h" and
 * "arch_test.h", our own text: the machine starts in S and has no M mode, so the tests that
 * apply are those without `rvtest_mtrap_routine`.
 */
#ifndef TOYVMM_MODEL_TEST_H
#define TOYVMM_MODEL_TEST_H

#include "halt.h"

#define RVMODEL_BOOT    TOYVMM_ENTRY_POINT TOYVMM_CATCH_TRAPS
#define RVMODEL_HALT    TOYVMM_HALT_WITH(1)

#define RVMODEL_DATA_BEGIN                                                      \
        TOYVMM_TOHOST_SECTION                                                   \
        .align 4; .globl begin_signature; begin_signature:
#define RVMODEL_DATA_END .align 4; .globl end_signature; end_signature:

#define RVMODEL_IO_INIT
#define RVMODEL_IO_WRITE_STR(_SP, _STR)
#define RVMODEL_IO_CHECK()
#define RVMODEL_IO_ASSERT_GPR_EQ(_SP, _R, _I)
#define RVMODEL_IO_ASSERT_SFPR_EQ(_F, _R, _I)
#define RVMODEL_IO_ASSERT_DFPR_EQ(_D, _R, _I)

#define RVMODEL_SET_MSW_INT
#define RVMODEL_CLEAR_MSW_INT
#define RVMODEL_CLEAR_MTIMER_INT
#define RVMODEL_CLEAR_MEXT_INT
#define RVMODEL_CLR_MSW_INT
#define RVMODEL_CLR_MTIMER_INT
#define RVMODEL_CLR_MEXT_INT

#endif
