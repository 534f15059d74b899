"""Answers for what compiled code asks of other units: the slow paths, the decode pool."""

from enum import IntEnum


class Request(IntEnum):
    """The first argument of `serve.serve`; what the other two mean, and the answer."""

    PREPARE = 0  # begin a run: -, -; the slot, or -1 - reason
    ACCESS = 1   # a load, store or atomic: its micro-op, -; the outcome (access.py)
    SETTLE = 2   # decode again what the MMU changed: -, -; 0
    SBI = 3      # answer an environment call: -, -; the reason
    SYSTEM = 4   # execute a system instruction: its micro-op, its word; the reason
    RAISE = 5    # raise the pending exception: the instruction's word, -; the reason
    ACCESS_AT = 6  # the same as ACCESS, at a physical address: its micro-op, the address
    HANDLE = 7   # and above, 7 + what interrupted a run: its micro-op, a target; the reason


class Writer(IntEnum):
    """Who has changed RAM that may be decoded; every writer tells the pool (`decodepool.py`)."""

    HART = 0        # a store of a hart, or of root for it
    WALK = 1        # a walk that set A or D in a table that is also code
    TRANSLATOR = 2  # code that the monitor makes
    DEVICE = 3      # DMA
    HOST = 4        # the host's answer to `tohost`
    DEBUGGER = 5    # a debugger, a loader, or another caller of `poke`
    SNAPSHOT = 6    # a state that is put back
