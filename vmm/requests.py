"""Answers for what the loop asks of an engine's unit; see `docs/howto/write-an-engine.md`."""

from enum import IntEnum


class EngineRequest(IntEnum):
    """The argument `request` of an engine's unit, and what it answers."""

    ENTER = 0  # make the real hart ready to run the guest from `vm.hart`'s state; 0
    EXIT = 1   # the real hart has trapped, `hart.exit` says why: RUN, or why the caller must act
