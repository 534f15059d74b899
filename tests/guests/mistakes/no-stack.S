# The trap handler saves registers on a stack, and nobody has set sp.
        .globl _start
_start: la      t0, trap_entry
        csrw    stvec, t0
        la      s0, text
next:   lbu     a0, 0(s0)
        beqz    a0, work
        call    putc
        addi    s0, s0, 1
        j       next

putc:   li      a7, 1                   # SBI: console putchar
        ecall
        ret

work:   ebreak                          # the kernel counts on its handler to skip this
        li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
trap_entry:
        addi    sp, sp, -16
        sw      ra, 0(sp)
        sw      t0, 4(sp)
        csrr    t0, sepc
        addi    t0, t0, 4
        csrw    sepc, t0
        lw      t0, 4(sp)
        lw      ra, 0(sp)
        addi    sp, sp, 16
        sret

text:   .asciz  "booting\n"
