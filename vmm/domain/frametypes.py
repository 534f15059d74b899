"""Answers for what a machine frame can be under direct paging, and what is being done to one.

Kinds and counts after Xen's: a frame is a table or writable, never both, and stays what
it is while anything uses it as that.  Must not know what checks them.
"""

from toyisa.core.state import record

# What a frame is.  NONE if and only if `uses` is 0.
NONE = 0      # mapped read-only at most
WRITABLE = 1  # uses: leaves with W that map it
OPEN = 2      # a pinned table, all zero, whose level has not been said; uses: 1
LEAVES = 3    # a second-level table; uses: root entries that point to it, and its pin
ROOT = 4      # uses: its pin, and that it is the base

NOWHERE, MANY = -1, -2  # of `place`

# What is being done to all the tables of a root, which takes more than one look's work.
IDLE, VALIDATING, UNDOING, RELEASING = range(4)

DIRECT = record(
    ("active", "i8"),                # the domain runs on its own tables
    ("region", "i8"),                # the mfn of the window's table, in entry 1023 of each root
    ("root", "i8"),                  # the mfn of the base, or -1
    ("flushes", "i8"),               # of everything that the monitor had to add itself
    # a root that is being validated or released: at which entry, up to which, on which error
    ("stage", "i8"), ("next", "i8"), ("end", "i8"), ("fault", "i8"),
    ("before", "i8"),                # of pinning: the leaf as it was; of a new base: the old one
)  # fmt: skip
