"""Answers for the fix of an access that the tables refuse, by the bit that refuses it."""

from toyisa.look.refusal import Why

FIX = {
    Why.INVALID: "nothing is mapped there: map the page, or the address is wrong",
    Why.RESERVED: "set R as well, or clear W",
    Why.RESERVED_TABLE: "an entry that leads to a table has V alone; a leaf needs R or X",
    Why.NO_LEAF: "set R or X (and W) in the entry of a page",
    Why.MISALIGNED: "a leaf at level 1 maps 4 MiB: clear the low 10 bits of its frame number, or "
                    "clear R, W and X if it is to lead to a table",
    Why.NOT_READABLE: "set R in that entry, or do not read there",
    Why.NOT_WRITABLE: "the page is read-only: set W in that entry, or do not write there",
    Why.NOT_EXECUTABLE: "set X in that entry, or the jump went astray",
    Why.NOT_USER: "U may use only pages whose entry has U: set U in that entry",
    Why.USER_CODE: "map the kernel's code by an entry without U",
    Why.NO_SUM: "set SUM (bit 18 of sstatus) while the kernel accesses a user's page",
    Why.NOT_ACCESSED: "set A in the entry, and D if the page is written",
    Why.NOT_DIRTY: "set D in the entry",
    Why.TABLE_OUTSIDE: "the entry above it (or satp) holds a wrong frame number",
    Why.OUTSIDE: "the address is wrong",
}  # fmt: skip

# The kind of mistake, if it has a name.
TAG = {
    Why.NOT_WRITABLE: "read-only page: ",
    Why.NOT_USER: "U bit missing: ",
    Why.USER_CODE: "U bit set: ",
    Why.NO_SUM: "SUM is clear: ",
    Why.MISALIGNED: "misaligned superpage: ",
    Why.TABLE_OUTSIDE: "the table is in the wrong place: ",
}
