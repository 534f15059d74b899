/* What the environments share: how a test ends, a store to `tohost`, both halves, again and again.
 * Names begin with TOYVMM, so that they clash with no suite's.
 */
#ifndef TOYVMM_HALT_H
#define TOYVMM_HALT_H

/* `tohost` becomes `value`: 1 passes, an odd number more fails with the rest as its code. */
#define TOYVMM_HALT_WITH(value)                                                 \
        li      t1, value;                                                      \
        la      t0, tohost;                                                     \
98:     sw      t1, 0(t0);                                                      \
        sw      zero, 4(t0);                                                    \
        j       98b;

#define TOYVMM_TOHOST_SECTION                                                   \
        .pushsection .tohost, "aw", @progbits;                                  \
        .balign 64; .globl tohost;   tohost:   .dword 0;                        \
        .balign 64; .globl fromhost; fromhost: .dword 0;                        \
        .popsection;

#define TOYVMM_UNEXPECTED_TRAP 1337    /* as riscv-tests say it: the code is half of that */

/* What a riscv-arch-test begins at, by the name that `toyvmm asm` looks for. */
#define TOYVMM_ENTRY_POINT                                                      \
        .globl  _start;                                                         \
        .set    _start, rvtest_entry_point;

/* Every trap ends the test; without compressed code, whatever the test is built for. */
#define TOYVMM_CATCH_TRAPS                                                      \
        .option push;                                                           \
        .option norvc;                                                          \
        la      t0, 97f;                                                        \
        csrw    stvec, t0;                                                      \
        j       99f;                                                            \
        .balign 4;                                                              \
97:     TOYVMM_HALT_WITH(TOYVMM_UNEXPECTED_TRAP)                                \
99:     .option pop;

#endif
