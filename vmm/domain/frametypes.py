"""Answers for what a machine frame can be under direct paging, and what is being done to one.

Types and counts follow Xen: a frame is a table or writable, never both, and keeps its type
while anything uses it as that.  Must not know what checks them.
"""

from toyisa.core.state import record

# The type of a frame.  It is NONE if and only if `uses` is 0.
NONE = 0      # mapped read-only, or not mapped
WRITABLE = 1  # uses: leaves with W that map it
OPEN = 2      # a pinned table, all zero, whose level is not known yet; uses: 1
LEAVES = 3    # a second-level table; uses: entries of root tables that point to it, and its pin
ROOT = 4      # a root table; uses: its pin, and that it is the current one

NOWHERE, MANY = -1, -2  # values of `place`

# What is being done to all the tables of a root table, which takes more than the work between two
# looks.
IDLE, VALIDATING, UNDOING, RELEASING = range(4)

DIRECT = record(
    ("active", "i8"),                # the domain runs on its own tables
    ("region", "i8"),                # the mfn of the window's table, for entry 1023 of root tables
    ("root", "i8"),                  # the mfn of the current root table, or -1
    ("flushes", "i8"),               # flushes of everything that the monitor itself added
    # A root table that is being validated or released: at which entry, up to which, on which error
    ("stage", "i8"), ("next", "i8"), ("end", "i8"), ("fault", "i8"),
    ("before", "i8"),                # the leaf before pinning, or the root table before a new one
)  # fmt: skip
