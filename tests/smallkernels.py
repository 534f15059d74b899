"""Small kernels in assembly, each to do one thing that a monitor may get wrong.

What they share: a handler that logs each trap and goes on, tables for the kernel
itself, macros.  Must not know what runs them.

    0x8000_0000  code, one superpage for S at the same addresses; also at USER, for U
    0x8002_0000  ROOT, a table of its own at LEAF for WINDOW .. WINDOW + 4 MiB
    0x8003_0000  DATA, pages for anybody
    0x8006_0000  LOG: scause, stval, sepc, sstatus of each trap
"""

from collections.abc import Callable
from typing import Any

import asm

PRELUDE = """
    .equ ROOT, 0x80020000
    .equ ROOT2, 0x80021000
    .equ LEAF, 0x80022000
    .equ LEAF2, 0x80023000
    .equ SPARE, 0x80024000
    .equ DATA, 0x80030000
    .equ DATA2, 0x80031000
    .equ LOG, 0x80060000
    .equ WINDOW, 0x00400000
    .equ USER, 0x00c00000
    .equ UART, 0x10000000
    .equ V, 1
    .equ R, 3                           # valid too
    .equ W, 4
    .equ X, 9                           # as well
    .equ U, 16
    .equ G, 32
    .equ A, 64
    .equ D, 128
    .equ RW, 7
    .equ RWAD, 0xc7
    .equ SUM, 1 << 18
    .equ MXR, 1 << 19
    .equ SPP, 1 << 8

    .macro entry at, frame, flags       # write a page-table entry
    li      t0, \\at
    li      t1, ((\\frame) >> 12 << 10) | (\\flags)
    sw      t1, 0(t0)
    .endm
    .macro page n, frame, flags         # map the window's page n
    entry   LEAF + 4 * (\\n), \\frame, \\flags
    .endm
    .macro space root, asid             # go to an address space
    li      t0, 0x80000000 | ((\\asid) << 22) | ((\\root) >> 12)
    csrw    satp, t0
    .endm
    .macro jump at                      # run code elsewhere; a fetch fault comes back here
    la      ra, 77f
    li      t0, \\at
    jr      t0
77:
    .endm
    .macro user                         # go on in U, by the same code at USER
    la      t0, 78f
    li      t1, USER - 0x80000000
    add     t0, t0, t1
    csrw    sepc, t0
    li      t0, SPP
    csrc    sstatus, t0
    sret
78:
    .endm
    .macro kernel                       # and back in S
    la      s10, 79f
    li      t1, USER - 0x80000000
    sub     s10, s10, t1
    li      a7, 0x5555
    ecall
79:
    .endm
    .macro load at
    li      t0, \\at
    lw      a0, 0(t0)
    .endm
    .macro store at, value
    li      t0, \\at
    li      t1, \\value
    sw      t1, 0(t0)
    .endm

    .text
    .globl _start
_start:
    la      t0, trap
    csrw    stvec, t0
    li      s11, LOG
    li      t0, -1
    csrw    stimecmph, t0
    entry   ROOT + 0x800, 0x80000000, 0xcf
    entry   ROOT + 4 * (USER >> 22), 0x80000000, 0xdb
    entry   ROOT + 4 * (WINDOW >> 22), LEAF, V
    j       main

    .align 2
trap:                                   # t5, t6, s10, s11 are the handler's
    csrr    t5, scause
    sw      t5, 0(s11)
    csrr    t6, stval
    sw      t6, 4(s11)
    csrr    t6, sstatus
    sw      t6, 12(s11)
    csrr    t6, sepc
    sw      t6, 8(s11)
    addi    s11, s11, 16
    bltz    t5, interrupt
    addi    t5, t5, -12                 # a fetch that failed: back to the caller
    beqz    t5, 1f
    addi    t5, t5, 11
    beqz    t5, 1f
    addi    t5, t5, -7                  # ecall from U: 8
    beqz    t5, 2f
    addi    t6, t6, 4
    csrw    sepc, t6
    sret
1:  csrw    sepc, ra                    # at the level whence it was tried
    sret
2:  li      t5, 0x5555
    addi    t6, t6, 4
    csrw    sepc, t6
    bne     t5, a7, 3f
    csrw    sepc, s10
    li      t5, SPP
    csrs    sstatus, t5
3:  sret

interrupt:
    andi    t5, t5, 4                   # the timer: put it off; the software's: down
    beqz    t5, 1f
    li      t5, -1
    csrw    stimecmph, t5
    sret
1:  csrci   sip, 2
    sret

finish:
    li      a7, 8
    ecall
    .align 2
main:
"""
RAM = 4 << 20
PER_TICK = 16  # virtual time units in a tick, so that timers come within a short run


def kernel(body: str, *, live: bool = False) -> Callable[[Any], None]:
    """A function that loads the kernel with this body into a machine; the body may fall through.

    The kernel has no console input, unless `live`: then the caller gives it.
    """
    elf = asm.assemble_text(f"{PRELUDE}{body}\n    j finish\n").elf()

    def prepare(machine: Any) -> None:
        machine.load(elf)
        machine.hart.clock.per_tick = machine.host.hart.clock.per_tick = PER_TICK
        if not live:
            machine.end_input()

    return prepare
