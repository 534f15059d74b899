/* The model's part of a riscv-arch-test of the kind that includes "riscv_arch_test.h" (ACT 4),
 * our own text: for configurations without S and U, and without STANDARD_SM_SUPPORTED, since the
 * machine starts in S and has no M mode.
 */
#ifndef TOYVMM_RVMODEL_MACROS_H
#define TOYVMM_RVMODEL_MACROS_H

#include "halt.h"

#define RVMODEL_DATA_SECTION TOYVMM_TOHOST_SECTION

#define RVMODEL_BOOT         TOYVMM_ENTRY_POINT TOYVMM_CATCH_TRAPS
#define RVMODEL_BOOT_TO_MMODE   /* there is none */

#define RVMODEL_HALT_PASS    TOYVMM_HALT_WITH(1)
#define RVMODEL_HALT_FAIL    TOYVMM_HALT_WITH(3)

/* The console is an ns16550, whose transmitter is always ready. */
#define RVMODEL_IO_INIT(_R1, _R2, _R3)
#define RVMODEL_IO_WRITE_STR(_R1, _R2, _R3, _STR)                               \
        li      _R2, 0x10000000;                                                \
98:     lbu     _R1, 0(_STR);                                                   \
        beqz    _R1, 99f;                                                       \
        sb      _R1, 0(_R2);                                                    \
        addi    _STR, _STR, 1;                                                  \
        j       98b;                                                            \
99:

#define RVMODEL_ACCESS_FAULT_ADDRESS 0x00000000
#define RVMODEL_INTERRUPT_LATENCY 10
#define RVMODEL_TIMER_INT_SOON_DELAY 1000

#define RVMODEL_SET_MEXT_INT(_R1, _R2)
#define RVMODEL_CLR_MEXT_INT(_R1, _R2)
#define RVMODEL_SET_MSW_INT(_R1, _R2)
#define RVMODEL_CLR_MSW_INT(_R1, _R2)
#define RVMODEL_SET_SEXT_INT(_R1, _R2)
#define RVMODEL_CLR_SEXT_INT(_R1, _R2)
#define RVMODEL_SET_SSW_INT(_R1, _R2)
#define RVMODEL_CLR_SSW_INT(_R1, _R2)

#endif
