"""Answers for the paravirtual ABI: the hypercalls and the shared window, as tables.

`docs/hypercalls.md` and `guests/include/hypercalls.inc` are generated from it (`python -m
vmm.abi.genhyp`).  Must not know what executes a call, and must import nothing that takes
long.

A call is an `ecall` from S with a7 = FIRST + number, and arguments in a0, a1, a2.  It returns
0 or a negative `Error` in a0, and the value that the row names in a1.  No other register
changes. Addresses are guest-physical (gpa) or guest-virtual (gva), as the row says.  A pte is
what the machine's tables hold, so its frame is a machine frame.
"""

from dataclasses import dataclass
from enum import IntEnum

ABI_VERSION = 1
FIRST = 0x0A00_0000  # the SBI leaves these extensions to firmware
MAX_BATCH = 2048     # updates in one call
MAX_CALLS = 512      # calls in a multicall
BATCH_WORDS, CALL_WORDS = 2, 5
AS_ROOT = 1          # in the low bits of an entry's address in a batch: it is in a root table


class Error(IntEnum):
    """The value of a0; where the SBI has such an error, it has SBI's number."""

    NOT_SUPPORTED = -2  # no such call, or not in a multicall
    INVALID = -3        # an argument makes no sense
    DENIED = -4         # a frame that is not the domain's, or whose type forbids this
    ADDRESS = -5        # there is no RAM, or nothing is mapped
    BUSY = -9           # the frame is in use in another way


class Level(IntEnum):
    """The level of a page that becomes a table."""

    LEAVES = 0  # second level: its entries map pages
    ROOT = 1
    OPEN = 2    # all zero: its first entry, or the first entry that points to it, decides the level


@dataclass(frozen=True)
class Row:
    """One hypercall, a line of the table.

    Guests are built with the number in them.  So a row keeps its number for ever, and a new
    row takes a number that no row has had.
    """

    number: int  # a7 minus FIRST
    name: str
    arguments: str
    answer: str
    batched: bool  # whether it may be in a multicall
    meaning: str


ROWS: tuple[Row, ...] = (
    #    name               arguments         a1        multi  meaning
    Row( 0, "set_trap",     "entry, ranges",  "-",      True,  "From now on traps go to `entry`. The four words at gpa `ranges` are two ranges of pcs, in which no virtual interrupt is delivered."),
    Row( 1, "iret",         "-",              "-",      False, "Return from a trap to `sepc`, with the level and the interrupt flag in the window's STATUS. a7 is loaded from SPILL; no other register changes."),
    Row( 2, "event",        "-",              "-",      False, "Do nothing but exit: a pending interrupt is delivered, if VIF allows."),
    Row( 3, "block",        "-",              "-",      False, "Sleep until an enabled interrupt is pending, then set VIF, so that it is taken at once."),
    Row( 4, "yield",        "-",              "-",      False, "Let other domains run."),
    Row( 5, "set_timer",    "low, high",      "-",      True,  "The timer interrupt comes at that time; a pending one is cleared."),
    Row( 6, "irq_mask",     "set, clear",     "-",      True,  "Enable the interrupts whose bits are in `set`, and disable those in `clear`; the bits are those of `sie`."),
    Row( 7, "new_base",     "satp",           "-",      True,  "Use this root table and ASID from now on; the frame number is the guest's. Flushes nothing."),
    Row( 8, "set_pte",      "entry, pte",     "-",      True,  "Set the entry of a second-level table at gpa `entry` to `pte`."),
    Row( 9, "set_pgd",      "entry, pte",     "-",      True,  "Set the entry of a root table at gpa `entry` to `pte`."),
    Row(10, "set_pte_flush", "entry, pte, gva", "-",    True,  "Do `set_pte`, then flush the translation of the page at `gva`: one crossing for both."),
    Row(11, "update_ptes",  "list, count",    "done",   True,  "Set `count` entries, from pairs (entry, pte) at gpa `list`. If bit 0 of an entry's address is set, the entry is in a root table. Stops at the first that is refused."),
    Row(12, "pin_table",    "gva, level",     "-",      True,  "The page mapped at `gva` becomes a page table of that level: validated, and read-only from now on."),
    Row(13, "unpin_table",  "gva",            "-",      True,  "The page at `gva` is no longer a table, and can be written again."),
    Row(14, "flush",        "-",              "-",      True,  "Flush all translations."),
    Row(15, "flush_page",   "gva",            "-",      True,  "Flush the translations of the page at `gva`."),
    Row(16, "multicall",    "list, count",    "done",   False, "Do `count` calls, each of five words at gpa `list`: number, a0, a1, a2, and room for the answer."),
    Row(17, "console_write", "byte",          "-",      True,  "Write a byte to the console."),
    Row(18, "console_read", "-",              "byte",   False, "Return the next byte of console input, or -1 if there is none now."),
    Row(19, "device_read",  "gpa",            "value",  False, "Read a byte-wide device register."),
)  # fmt: skip

BY_NUMBER: dict[int, Row] = {row.number: row for row in ROWS}
Call = IntEnum("Call", {row.name.upper(): row.number for row in ROWS})
if not len(ROWS) == len(BY_NUMBER) == len(Call):
    raise ValueError("two hypercalls share a number or a name")
BATCHED = frozenset(row.number for row in ROWS if row.batched)
CALLS_END = 1 + max(BY_NUMBER)  # numbers from here on are not calls

# The monitor's window: entry 1023 of every root table; U never sees it.
REGION = 1023
WORDS_PAGE = 0xFFFF_F000  # read-write; S reaches it only by `imm(x0)`
P2M = 0xFFE0_1000         # read-only, ascending from guest frame 0
M2P_TOP = 0xFFE0_0000     # read-only, descending from machine frame 0: -4 * ppn
P2M_PAGES, M2P_PAGES = 256, 259
MAX_MEM = 1 << 30         # the maps have room for so much
FIRST_WORD = -2048


class Word(IntEnum):
    """The words that the guest and the monitor share, from -2048(x0) on.

    All of them are the guest's own state: the monitor trusts none of them.
    """

    VIF = 0      # virtual interrupt flag: 0 is off; it counts in S only
    PENDING = 1  # not 0: an enabled interrupt is pending
    STATUS = 2   # the interrupted context, and for iret the next one: sstatus.SPP and SPIE; 0 is U
    SPILL = 3    # the guest's a7 across `iret`
    FRAMES = 4   # 4 * the number of frames in the P2M map


WORD_MEANING = {
    Word.VIF: "virtual interrupt flag: 0 is off. Counts in S only: in U interrupts are on",
    Word.PENDING: "not 0: an enabled interrupt is pending. Look after setting VIF",
    Word.STATUS: "level and flag of the interrupted context, and for `iret`: SPP and SPIE as in "
                 "`sstatus`; 0 is U. The fast gate leaves it as it is: store 0 when it is read",
    Word.SPILL: "the guest's a7 across `iret`",
    Word.FRAMES: "4 * the number of the domain's frames: the length of the P2M map",
}  # fmt: skip
