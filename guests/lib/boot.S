# The first instructions of every kernel.
#
# The hart arrives in S at the ELF's entry point with paging and interrupts off,
# a0 = its number, a1 = the device tree.  A kernel provides `main`, which gets
# both and may return the machine's exit code in a0.

    .equ BOOT_STACK_SIZE, 8192

    .text
    .globl  _start
_start:
    la      sp, boot_stack_top

    # sscratch says whose registers a trap finds: 0 means the kernel's own, and so far
    # nothing else has run.
    WRITE_SSCRATCH zero

    # Before anything can trap, traps need a place to go.  WRITE_STVEC may
    # change a0 and a1, so keep main's arguments elsewhere.
    mv      s0, a0
    mv      s1, a1
    la      a0, trap_entry
    WRITE_STVEC a0
    mv      a0, s0
    mv      a1, s1
    call    main

    SHUTDOWN a0

    .bss
    .balign 16
boot_stack:
    .space  BOOT_STACK_SIZE
boot_stack_top:
