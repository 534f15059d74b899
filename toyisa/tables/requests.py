"""Answers for what the interpreter asks of the slow paths; see `serve.py`."""

from enum import IntEnum


class Request(IntEnum):
    """The first argument of `serve`; what the other two mean, and the answer."""

    PREPARE = 0  # begin a run: -, -; the slot, or -1 - reason
    ACCESS = 1   # a load, store or atomic: its micro-op, -; what came of it (access.py)
    SETTLE = 2   # decode again what the MMU changed: -, -; 0
    SBI = 3      # answer an environment call: -, -; the reason
    SYSTEM = 4   # execute a system instruction: its micro-op, its word; the reason
    RAISE = 5    # raise the pending exception: the instruction's word, -; the reason
    ACCESS_AT = 6  # the same as ACCESS, at a physical address: its micro-op, the address
    HANDLE = 7   # and above, 7 + what interrupted a run: its micro-op, a target; the reason
