"""Answers for why a hart stops running guest instructions and goes to root."""

from enum import IntEnum


class Reason(IntEnum):
    """What the hart reports; `hart.exit` has the details."""

    RUN = 0       # nothing: go on
    TRAP = 1      # a trap that is not delegated, or that S was denied: cause, tval, insn, pc
    BUDGET = 2    # root.budget instructions are retired
    DEADLINE = 3  # root's own timer
    IDLE = 4      # wfi, and nothing can wake the hart but input
    HALTED = 5    # the guest turned the machine off
    INPUT = 6     # the guest asks for console input that root has not given yet
    OUTPUT = 7    # the console's output buffer is full
    STEP = 8      # a trap was taken and root.one_trap is set
    STUCK = 9     # it traps for ever without retiring an instruction
    DEVICE = 10   # the guest accesses a register that root keeps: memory.REQUEST
    LOOK = 11     # the work that root allowed is done (work.py): look at limits, and go on
    WAIT = 12     # the guest waits (`wfi`), and root.waits is set: root may let others run
