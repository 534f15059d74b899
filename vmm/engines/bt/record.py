"""Answers for what the translator records: blocks, what each word of code belongs to, counts.

Arrays by word of the cache say what a machine pc means for the guest; arrays by block
(`unit`) say what was translated.  Where 0 means none, the number of a block, a word or a page
is stored plus 1.
"""

from enum import IntEnum

from toyisa.core.memory import WORDS
from toyisa.core.state import record
from vmm.domain.record import MAX_SHADOW
from vmm.engines.bt.window import BUCKET_PAGES, BUCKET_WORDS, CODE_WORDS

MAX_UNITS = 1 << 15
MAX_PAGES = 1 << 10  # pages of guest code, by guest-virtual address
HASH = 1 << 12
BUCKETS_IN_ALL = BUCKET_PAGES * WORDS // BUCKET_WORDS
UNIT_INSNS = 12      # of the guest's, at most
MAX_UNIT_WORDS = 640
MAX_STUBS = 16
MOST_ENDED = 1 << 11
STEP_WORDS = 64      # at the cache's end: room for a block of one instruction


COPIED = 1 << 7  # in `u_fans`: one copy more came before this block

# `insn` of an edge: flags, or if a branch takes it, how far behind the branch it is
CALL = 1 << 16    # a call, of a function that has other callers, too
LINKED = 1 << 17  # x1 holds the guest's return address
JUMPED = 1 << 18  # of an indirect jump


class Site(IntEnum):
    """What an `ecall` in translated code is for."""

    PLAIN = 0      # none: ordinary code
    EDGE = 1       # a direct jump to a block that was not there yet; becomes that jump
    EMULATE = 2    # root does the guest instruction
    MISS = 3       # an indirect jump to a target that its bucket does not hold
    COUNTDOWN = 4  # icount: the block is longer than what is left
    ACCESS = 5     # root does a load or store
    STEPPED = 6    # a block of one instruction has done it
    PREDICT = 7    # an indirect jump to a target that it has not had
    WIDEN = 8      # to its second; `insn` is how far behind it the first comparison is
    CROWDED = 9    # to one more than there is room for; `insn` is the word of the first comparison


class Aside(IntEnum):
    """How a word counts among the guest's instructions, with the clock in cycles.

    The first word of each guest instruction stands for it, and the words after it are counted
    separately.  At two kinds of words the guest may be left although the first word says
    otherwise; `leave.py` corrects that.
    """

    OWN = 0      # it stands for the instruction
    APART = 1
    # It is the whole translation of a jump; while it is still a call, root does the jump
    JUMP = 2
    REDONE = 5   # counted separately; if the guest is left here, root will do the instruction


class Fans(IntEnum):
    """What is known of a block that may end with an indirect jump; bits."""

    LAID = 1    # it was placed over the edge that led to it
    FREE = 2    # the next edge that asks gets this block
    SPLIT = 4   # every other edge that asks gets a copy
    APART = 8   # the edge that led to it was a call, or of an indirect jump
    KEEPS = 16  # it does not write x1
    INLINES = 32  # it is a part of a function that has many callers


class Count(IntEnum):
    """Counters, for people: `toyvmm stat` and JSON."""

    UNITS = 0
    INSNS_IN = 1      # guest instructions translated
    INSNS_OUT = 2     # words of code made of them
    IDENTICAL = 3     # guest instructions that were copied unchanged
    CHAINED = 4       # edges that became jumps
    UNCHAINED = 5
    MISSES = 6        # indirect jumps that root had to resolve
    EMULATED = 7      # callouts: one instruction
    ACCESSES = 8      # callouts: a load or store
    ADAPTED = 9       # stores that became callouts
    REVERTED = 10     # and back
    INVALIDATED = 11  # blocks dropped
    FLUSHES = 12      # of the whole cache
    STEPS = 13        # blocks of one instruction
    VERIFIED = 14     # code pages looked up again in another address space
    PREDICTED = 15    # targets that indirect jumps were given to compare with
    SETTLED = 16      # machine instructions run to reach a guest boundary
    MOVED = 17        # times that the window went to the other end
    WIDENED = 18      # indirect jumps that were given room for more targets
    COPIES = 19       # blocks made again for one edge alone
    LAID_OUT = 20     # blocks placed over the edge that led to them, so that there is no jump
    FENCED = 21       # `sfence.vma` done in the exit for the write of satp before it


BT = record(
    ("start", "i8"),       # the first machine frame: code, buckets, words, table
    ("ready", "i8"),      # the buckets have been written
    ("base", "i8"),       # the virtual address of the code, and so of the window: window.py
    ("first", "i8"),      # the offset from x0 of slot 0 of the words: -2048 or 0
    ("met", "i8"),        # accesses of the guest's kernel that hit the window's end
    ("patience", "i8"),   # how many of them before it is moved
    ("width", "i8"),      # targets that a fan compares with: `indirect.py`
    ("capacity", "i8"),   # words of code; when they are used up, everything is flushed
    ("used", "i8"), ("units", "i8"), ("pages", "i8"),
    ("pool", "i8"), ("pool_end", "i8"),  # words for stubs of the last block, and of those to follow
    ("force", "i8"),      # how the guest's `time` is read: Force
    ("adapts", "i8"),     # whether stores that keep trapping become callouts
    ("icount", "i8"),     # blocks begin with a countdown
    ("in_code", "i8"),    # the hart was entered in translated code
    ("at", "i8"),         # the word at which it left, or -1
    ("limit", "i8"),      # counted instructions: the instret at which root must look
    ("left", "i8"),       # and how far that is from the end of the block that was entered
    ("ra", "i8"),         # what x1 holds wherever the block that is being made runs; 0: not known
    ("keeps", "i8"),      # that block does not write x1
    ("known", "i8"), ("value", "i8"),  # the register that auipc has just set, or 0; and its value
    ("one", "i8"),        # the block that is being made has one instruction
    ("stepping", "i8"),   # the block that was entered is the one of one instruction
    ("kept", "i8"),       # icount: the value in COUNT when the guest was left
    ("version", "i8"),    # counts changes of mappings of code pages
    # By shadow root table: the version with which its code pages agree
    ("verified", "i8", MAX_SHADOW),
    ("resumed", "i8"),    # the word at which to continue was left before it was executed
    ("group", "i8"),      # the group of the address space that the hart entered last
    ("space_group", "i8", MAX_SHADOW),  # by shadow root table: its group
    ("space_seen", "i8", MAX_SHADOW),   # how many pages there were when the group was checked
    ("space_key", "i8", MAX_SHADOW),    # and for which table of the guest
    ("link", "i8"),       # the edge to be chained to the block that is entered next, or -1
    ("hold", "i8"),       # an indirect jump needs the next block
    ("ended", "i8"),      # blocks and edges dropped since the guest was left; after MOST_ENDED
    ("crowded", "i8"),    # it is quicker to flush the whole cache
    # by word
    ("gpc", "u4", CODE_WORDS), ("insn", "u4", CODE_WORDS),
    ("site", "u1", CODE_WORDS), ("inside", "u1", CODE_WORDS), ("index", "u1", CODE_WORDS),
    ("faults", "u1", CODE_WORDS), ("unit", "i4", CODE_WORDS), ("edge", "i4", CODE_WORDS),
    ("aside", "u1", CODE_WORDS + BUCKET_PAGES * WORDS),  # an Aside; bit 0 is a mark for the pool
    # by block
    ("u_gpc", "u4", MAX_UNITS), ("u_page", "i4", MAX_UNITS), ("u_first", "i4", MAX_UNITS),
    ("u_insns", "i4", MAX_UNITS), ("u_alive", "u1", MAX_UNITS), ("u_next", "i4", MAX_UNITS),
    ("u_sibling", "i4", MAX_UNITS), ("u_sites", "i4", MAX_UNITS),
    ("u_fans", "u2", MAX_UNITS),  # Fans, and how many copies came before it, times COPIED
    # What x1 holds wherever the block runs, which serves one edge alone; 0: anything
    ("u_ra", "u4", MAX_UNITS),
    ("hash", "i4", HASH),
    ("behind", "i4", BUCKETS_IN_ALL),  # by bucket: the last word of the first place behind it
    # by page of guest code
    ("p_gva", "i8", MAX_PAGES), ("p_gfn", "i8", MAX_PAGES), ("p_units", "i4", MAX_PAGES),
    # In the space that was last looked up
    ("p_group", "u1", MAX_PAGES), ("p_fits", "u1", MAX_PAGES),
    # the block that is being made
    ("filled", "i8"), ("pc", "u4"), ("done", "i8"), ("fresh", "i8"), ("stubs", "i8"),
    ("main", "i8"),       # its words before those of its stubs, which are placed elsewhere
    ("begun", "i8"),      # a word of the guest instruction has been emitted
    ("b_word", "u4", MAX_UNIT_WORDS), ("b_gpc", "u4", MAX_UNIT_WORDS),
    ("b_insn", "u4", MAX_UNIT_WORDS), ("b_site", "u1", MAX_UNIT_WORDS),
    ("b_inside", "u1", MAX_UNIT_WORDS), ("b_index", "u1", MAX_UNIT_WORDS),
    ("b_aside", "u1", MAX_UNIT_WORDS),
    ("stub_from", "i8", MAX_STUBS), ("stub_spilled", "i8", MAX_STUBS),
    ("stub_gpc", "u4", MAX_STUBS), ("stub_insn", "u4", MAX_STUBS), ("stub_index", "i8", MAX_STUBS),
    ("stub_site", "u1", MAX_STUBS), ("stub_at", "i8", MAX_STUBS),
    ("count", "i8", len(Count)),
)  # fmt: skip


class Force(IntEnum):
    """How the guest's reads of `time` and `cycle` are done."""

    INLINE = 0
    CALLOUT = 1
    TRAP = 2
