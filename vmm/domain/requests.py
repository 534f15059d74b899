"""Answers for what the loop asks of an engine's unit; see `docs/howto/write-an-engine.md`."""

from enum import IntEnum


class EngineRequest(IntEnum):
    """The argument `request` of an engine's unit, and what it answers."""

    ENTER = 0  # make the real hart ready to run the guest from `vm.hart`: RUN, or why not
    LEAVE = 1  # the real hart has stopped for the Reason `first`: bring the guest to an instruction
    #            boundary and its state into `vm.hart`; the reason, which may be another by now
    EXIT = 2   # after LEAVE, if it trapped, `hart.exit` says why: RUN, or why the caller must act
