"""Answers for what the engine keeps of a paravirtual guest besides its frames' kinds."""

from toyisa.core.state import record

RANGES = 2

PV = record(
    ("words", "i8"),                # the RAM word number of the window's first shared word
    ("held", "i8"),                 # VIF of a context in a critical range: nothing is delivered
    ("first", "i8", RANGES), ("last", "i8", RANGES),  # the ranges: first <= pc < last
    ("answer", "i8"),               # what a hypercall leaves in a1, if `answers`
    ("answers", "i8"),
    # a call that goes on after a look (`vm.partial`): the calls of a multicall that are done,
    # number and arguments of the one begun, and the entries of its batch that are done
    ("done", "i8"), ("inside", "i8"), ("call", "i8", 4), ("entries", "i8"),
    ("calls", "i8"),                # hypercalls, those in multicalls included
    ("updates", "i8"),              # table entries changed
    ("deferred", "i8"),             # entries into a critical range with an interrupt due
)  # fmt: skip
