# The address of the message is put into t0, and the loop reads by t1.
        .globl _start
_start: la      sp, stack_top
        la      t0, handler
        csrw    stvec, t0
        la      t0, message
print:  lbu     a0, 0(t1)
        beqz    a0, done
        li      a7, 1                   # SBI: console putchar
        ecall
        addi    t1, t1, 1
        j       print
done:   li      a7, 8                   # SBI: shutdown
        ecall

        .balign 4
handler:
        j       handler                 # a trap: stop here, to be seen with a debugger

message:
        .asciz  "hello\n"
        .bss
        .balign 16
        .space  4096
stack_top:
