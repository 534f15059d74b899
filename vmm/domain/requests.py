"""Answers for what the loop asks of an engine's unit; see `docs/howto/write-an-engine.md`."""

from enum import IntEnum


class EngineRequest(IntEnum):
    """The argument `request` of an engine's unit, and what it answers."""

    ENTER = 0  # make the real hart ready to run the guest from `vm.vcpu.hart`: RUN, or why not
    LEAVE = 1  # the real hart has stopped for the Reason `first`: bring the guest to an instruction
    #            boundary and its state into `vm.vcpu.hart`; the reason, which may be another by now
    EXIT = 2   # after LEAVE, if it trapped, `hart.exit` says why: RUN, or why the caller must act


class Trait(IntEnum):
    """What the loop must know of an engine; `Engine.traits` is their union."""

    CALLOUTS = 1    # an `ecall` from S is a call of the engine's own code, which has its price
    MASKS = 2       # the guest can mask interrupts without an exit: root looks when one is due
    TRANSLATES = 4  # it is told what its code depends on and has changed: changes.py
