# A guest for the debugger: a loop that stores, a trap that is handled, an end.
    .text
    .globl _start
_start:
    la      sp, stack_top
    la      t0, handler
    csrw    stvec, t0
    li      s0, 0
loop:
    addi    s0, s0, 1
    la      t1, counter
    sw      s0, 0(t1)
    li      t2, 5
    blt     s0, t2, loop
cause_trap:
    .word   0               # illegal: to the handler and back behind it
after:
    ebreak                  # the guest's own: to the handler as well
    lw      a2, 0(t1)
finish:
    li      t0, 0x100000    # the finisher
    li      t1, 0x5555
    sw      t1, 0(t0)
1:  j       1b
    .balign 4
handler:
    csrr    t3, sepc
    addi    t3, t3, 4
    csrw    sepc, t3
    sret

    .data
counter: .word 0
    .space 256
stack_top:
