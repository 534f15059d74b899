"""Answers for how much is done between two looks at limits and at Ctrl-C, by counting.

Compiled code cannot be interrupted.  So what a guest can make long is counted in *units of
work*, at the place where it is done.  `memory.work` holds what is left.  When it is used up,
the hart comes back with `Reason.LOOK`, and has changed nothing that a guest, the clock or a
count of cycles could show.  Work is counted, not timed: the same guest comes back at the same
places. Must not know who looks, nor at what.

A unit of work takes about 25 ns of host time.  The prices need only be right within a factor
of a few: `docs/adr/0012-looks.md` has the measurements.
"""

from toyisa.compiled.njit import njit
from toyisa.core.memory import WORDS
from toyisa.core.state import NEVER

LOOK = 200_000   # units of work between two looks: about 5 ms
MOST = 2 * LOOK  # the most that a piece of work, which is never cut, may take
INSNS = 3        # 2**INSNS plain instructions are one unit of work
ENDLESS = 1 << 40  # if more than this is left, there is no limit

LEAST = 12       # the least for which a run is begun

# Prices, in units of work.
RUN = 6          # a run of instructions opened and closed, and what ended it
ACCESS = 3       # a load or store on the slow path
FOLD = 32        # the counts of a page of the decode pool folded
DECODE = WORDS   # a page decoded
PATCH = 64       # words of a decoded page decoded again
CALL = 32        # a call to the firmware
EXIT = 24        # a guest left and entered again
WALK = 4         # a walk of a guest's tables
ENTRY = 1        # a table entry written, or changed by a hypercall
CHAIN = 2        # 2**CHAIN links of a chain followed, or pages looked through
SCAN = WORDS // 4   # a table's entries read, one by one
TRANSLATE = 16   # an instruction translated
DMA_BYTES = 32   # bytes that a device moves for one unit of work
DESCRIPTOR = 100  # of a device's ring, read


@njit
def out_of_work(mem):
    """Whether it is time to look: nothing more should be begun."""
    return mem.work <= 0


@njit
def lend(hart, mem):
    """Let the hart run as far as the work that is left, and at least a little; return the amount
    lent.

    So there is progress however much work it was to enter.
    """
    lent = max(LEAST - mem.work, 0)
    mem.work += lent
    mem.look = hart.clock.instret + (min(mem.work, ENDLESS) << INSNS)
    return lent


@njit
def settle_run(hart, mem, since, lent):
    """Count what the hart has run since `since` instructions had retired."""
    mem.work -= lent + ((hart.clock.instret - since) >> INSNS)


@njit
def count_flush(hart, mem):
    """Count a search through all of the TLBs."""
    mem.work -= 4 + ((hart.tlb.dmask + hart.tlb.imask) >> 4)


def unlimited(memory) -> None:
    """Never come back for a look: for callers that take small steps, and between runs."""
    memory.work = memory.look = NEVER
