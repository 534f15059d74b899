"""Answers for what the engine records of a paravirtual guest, besides the types of its frames."""

from toyisa.core.state import record

RANGES = 2

PV = record(
    ("words", "i8"),                # the RAM word number of the window's first shared word
    ("held", "i8"),                 # VIF of a context in a critical range, where it counts as 0
    ("first", "i8", RANGES), ("last", "i8", RANGES),  # the ranges: first <= pc < last
    ("answer", "i8"),               # the value for a1, if `answers`
    ("answers", "i8"),
    # A call that continues after a look (`vcpu.partial`): how many calls of a multicall are done,
    # number and arguments of the one that has begun, and how many entries of its batch are done
    ("done", "i8"), ("inside", "i8"), ("call", "i8", 4), ("entries", "i8"),
    ("calls", "i8"),                # hypercalls, including those in multicalls
    ("updates", "i8"),              # table entries changed
    ("deferred", "i8"),             # entries into a critical range with an interrupt due
)  # fmt: skip
