"""Answers for the paravirtual ABI: the hypercalls and the shared window, as tables.

`docs/hypercalls.md` and `guests/include/hypercalls.inc` are generated from it
(`python -m vmm.abi.genhyp`).  Must not know what carries a call out, and imports nothing
heavy.

An `ecall` from S with a7 = FIRST + number; arguments in a0, a1, a2.  a0 comes back as 0 or
a negative `Error`, a1 as a value where the row names one.  No other register changes.
Addresses are guest-physical (gpa) or guest-virtual (gva) as said; a pte is what the
machine's tables hold, so its frame is a machine frame.
"""

from dataclasses import dataclass
from enum import IntEnum

ABI_VERSION = 1
FIRST = 0x0A00_0000  # SBI's extensions for firmware code
MAX_BATCH = 2048     # updates in one call
MAX_CALLS = 512      # calls in a multicall
BATCH_WORDS, CALL_WORDS = 2, 5
AS_ROOT = 1          # in the low bits of an entry's address in a batch: of a root table


class Error(IntEnum):
    """What a0 says; SBI's numbers where SBI has the thing."""

    NOT_SUPPORTED = -2  # no such call, or not in a multicall
    INVALID = -3        # an argument makes no sense
    DENIED = -4         # a frame that is not the domain's, or its type forbids it
    ADDRESS = -5        # no RAM there, or nothing mapped
    BUSY = -9           # the frame is in use otherwise


class Level(IntEnum):
    """Of a page that becomes a table."""

    LEAVES = 0  # second level: its entries map pages
    ROOT = 1
    OPEN = 2    # all zero: its first entry, or the first entry that points to it, says which


@dataclass(frozen=True)
class Row:
    """One hypercall, a line of the table.

    Guests are built with the number in them: a row keeps its number for ever, and a
    new row takes one that no row has had.
    """

    number: int  # what a7 is above FIRST
    name: str
    arguments: str
    answer: str
    batched: bool  # can stand in a multicall
    meaning: str


ROWS: tuple[Row, ...] = (
    #    name               arguments         a1        multi  meaning
    Row( 0, "set_trap",     "entry, ranges",  "-",      True,  "Traps go to `entry`. At gpa `ranges` are four words: two ranges of pcs, in which no virtual interrupt is delivered."),
    Row( 1, "iret",         "-",              "-",      False, "Return from a trap: to `sepc`, with level and interrupt flag from the window's STATUS; a7 comes from SPILL. Changes no other register."),
    Row( 2, "event",        "-",              "-",      False, "Nothing but an exit: what is pending is delivered, if VIF allows."),
    Row( 3, "block",        "-",              "-",      False, "Sleep until an enabled interrupt is pending, then set VIF: it is taken at once."),
    Row( 4, "yield",        "-",              "-",      False, "Let others run."),
    Row( 5, "set_timer",    "low, high",      "-",      True,  "The timer interrupt comes at that time; a pending one is gone."),
    Row( 6, "irq_mask",     "set, clear",     "-",      True,  "Interrupts whose bits are in `set` are enabled, those in `clear` disabled, as in `sie`."),
    Row( 7, "new_base",     "satp",           "-",      True,  "That root table and ASID from now on; the frame number is the guest's. Flushes nothing."),
    Row( 8, "set_pte",      "entry, pte",     "-",      True,  "The second-level entry at gpa `entry` = `pte`."),
    Row( 9, "set_pgd",      "entry, pte",     "-",      True,  "The root entry at gpa `entry` = `pte`."),
    Row(10, "set_pte_flush", "entry, pte, gva", "-",    True,  "set_pte, then forget the translation of the page at `gva`: one crossing for both."),
    Row(11, "update_ptes",  "list, count",    "done",   True,  "`count` pairs (entry, pte) at gpa `list`; bit 0 of an entry's address: of a root table. Stops at the first that is refused."),
    Row(12, "pin_table",    "gva, level",     "-",      True,  "The page mapped at `gva` becomes a page table of that level: validated, and read-only from now on."),
    Row(13, "unpin_table",  "gva",            "-",      True,  "The page at `gva` is a table no more, and can be written again."),
    Row(14, "flush",        "-",              "-",      True,  "Forget all translations."),
    Row(15, "flush_page",   "gva",            "-",      True,  "Forget those of the page at `gva`."),
    Row(16, "multicall",    "list, count",    "done",   False, "`count` calls of five words each at gpa `list`: number, a0, a1, a2, and room for the answer."),
    Row(17, "console_write", "byte",          "-",      True,  "Write a byte."),
    Row(18, "console_read", "-",              "byte",   False, "The next byte of input in a1, or -1 if there is none now."),
    Row(19, "device_read",  "gpa",            "value",  False, "A byte-wide device register."),
)  # fmt: skip

BY_NUMBER: dict[int, Row] = {row.number: row for row in ROWS}
Call = IntEnum("Call", {row.name.upper(): row.number for row in ROWS})
if not len(ROWS) == len(BY_NUMBER) == len(Call):
    raise ValueError("two hypercalls share a number or a name")
BATCHED = frozenset(row.number for row in ROWS if row.batched)
CALLS_END = 1 + max(BY_NUMBER)  # numbers from here on are no calls

# The monitor's window: root entry 1023 of every address space, never U's.
REGION = 1023
WORDS_PAGE = 0xFFFF_F000  # read-write; S reaches it by `imm(x0)` only
P2M = 0xFFE0_1000         # read-only, ascending from guest frame 0
M2P_TOP = 0xFFE0_0000     # read-only, descending from machine frame 0: -4 * ppn
P2M_PAGES, M2P_PAGES = 256, 259
MAX_MEM = 1 << 30         # what the maps have room for
FIRST_WORD = -2048


class Word(IntEnum):
    """The words that the guest and the monitor share, from -2048(x0) on.

    All of it is the guest's own state: the monitor trusts none of it.
    """

    VIF = 0      # virtual interrupt flag: 0 is off; counts in S only
    PENDING = 1  # not 0: an enabled interrupt is pending
    STATUS = 2   # of the interrupted context, and for iret: sstatus.SPP and SPIE; 0 is U
    SPILL = 3    # the guest's a7 across `iret`
    FRAMES = 4   # 4 * the number of frames that the P2M map has


WORD_MEANING = {
    Word.VIF: "virtual interrupt flag: 0 is off. Counts in S only: in U interrupts are on",
    Word.PENDING: "not 0: an enabled interrupt is pending. Look after setting VIF",
    Word.STATUS: "level and flag of the interrupted context, and for `iret`: SPP and SPIE as in "
                 "`sstatus`; 0 is U. The fast gate leaves it as it is: store 0 when it is read",
    Word.SPILL: "the guest's a7 across `iret`",
    Word.FRAMES: "4 * the number of the domain's frames: the length of the P2M map",
}  # fmt: skip
