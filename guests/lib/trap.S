# The only way into the kernel and out of it.
#
# A kernel provides `trap(frame, cause, value)`: a0 = the frame on this stack
# (frame.inc), a1 = scause, a2 = stval.  It is called with interrupts off and must
# return with interrupts off.  It may change the frame; that is how a system
# call returns its answer.
#
# sscratch says who was interrupted.  While U runs, it holds the top of the
# kernel stack to use.  While the kernel runs, it holds 0, and the trap continues
# on the stack that it finds.
#
# trap_entry .. trap_entry_end and trap_return .. trap_return_end are critical
# ranges: the trap registers hold values that no other trap may overwrite.  The hart
# keeps interrupts off in them.  A VMM that delivers interrupts itself must do so too.

.macro SAVE_REGISTERS
    sw      x1, 4(sp)
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sw      x\n, 4*\n(sp)
    .endr
.endm

.macro LOAD_REGISTERS
    lw      x1, 4(sp)
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lw      x\n, 4*\n(sp)
    .endr
.endm

# Entering:
#   1. Find a kernel stack: swap sp with sscratch.
#   2. Make a frame there and save the interrupted registers, sp last.
#   3. Leave 0 in sscratch: any trap from now on comes from S.
#   4. Save pc, level and interrupt flag: a later trap overwrites them.
#   5. Call trap().

    .text
    .balign 4                           # stvec's two low bits are its mode
trap_entry:
    GATE_ENTER
    SWAP_SSCRATCH sp, sp                # 1
    bnez    sp, trap_from_user

    # S was interrupted: sp became 0, and the stack pointer is now in sscratch.
    # Swapping again restores it, and leaves the 0 there.
    SWAP_SSCRATCH sp, sp                # 3
    addi    sp, sp, -FRAME_SIZE         # 2
    SAVE_REGISTERS
    addi    t0, sp, FRAME_SIZE
    sw      t0, FRAME_SP(sp)
    sw      zero, FRAME_USER(sp)
    j       trap_saved

trap_from_user:
    addi    sp, sp, -FRAME_SIZE         # 2
    SAVE_REGISTERS
    SWAP_SSCRATCH t0, zero              # 3, and the user's sp in one act
    sw      t0, FRAME_SP(sp)
    li      t0, 1
    sw      t0, FRAME_USER(sp)

    # tp is the user's. Load the one that the kernel left when it went to U.
    lw      tp, FRAME_KTP(sp)

trap_saved:
    READ_SEPC t0                        # 4
    sw      t0, FRAME_PC(sp)
    SAVE_TRAP_STATE t0
    sw      t0, FRAME_STATE(sp)
    mv      a0, sp
    READ_SCAUSE a1
    READ_STVAL a2
trap_entry_end:
    call    trap                        # 5

# Leaving.  A new context starts here too, with sp at a frame that was made for it and
# interrupts off:
#   1. Restore pc, level and interrupt flag.
#   2. To U only: leave the kernel's tp in the frame, its stack in sscratch.
#   3. Load the registers, sp last, and return from the trap.

trap_return:
    lw      t0, FRAME_STATE(sp)         # 1
    RESTORE_TRAP_STATE t0
    lw      t0, FRAME_PC(sp)
    WRITE_SEPC t0
    lw      t0, FRAME_USER(sp)
    beqz    t0, trap_return_kernel

    sw      tp, FRAME_KTP(sp)           # 2
    addi    t0, sp, FRAME_SIZE
    WRITE_SSCRATCH t0
    LOAD_REGISTERS                      # 3
    IRET_USER

trap_return_kernel:
    LOAD_REGISTERS                      # 3
    IRET_KERNEL
trap_return_end:
