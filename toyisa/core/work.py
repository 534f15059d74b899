"""Answers for how much is done between two looks at limits and at Ctrl-C, counted.

Compiled code cannot be interrupted.  So what a guest can lengthen is counted in *units of
work* where it is done, `memory.work` holds what is left, and where it runs out the hart
comes back with `Reason.LOOK`, having changed nothing that a guest, the clock or a count of
cycles could show.  Counted, not timed: the same guest comes back at the same places.
Must not know who looks, nor at what.

A unit is some 25 ns of host time.  The prices need only be right within a few times:
`docs/adr/0012-looks.md` has the measurements.
"""

from toyisa.compiled.njit import njit
from toyisa.core.memory import WORDS
from toyisa.core.state import NEVER

LOOK = 200_000   # units between two looks: about 5 ms
MOST = 2 * LOOK  # that a piece of work, which is never cut, may take at most
INSNS = 3        # a unit is 2**INSNS plain instructions
ENDLESS = 1 << 40  # more than any work left counts as no limit

LEAST = 12       # to run at all

# Prices, in units.
RUN = 6          # a run of instructions opened and closed, with what ended it
ACCESS = 3       # a load or store by the slow path
FOLD = 32        # the counts of a page of the decode pool brought in
DECODE = WORDS   # a page decoded
PATCH = 64       # words of a decoded page decoded again
CALL = 32        # a call to the firmware
EXIT = 24        # a guest left and entered again
WALK = 4         # a walk of a guest's tables
ENTRY = 1        # a table entry written, or changed by a hypercall
CHAIN = 2        # 2**CHAIN links of a chain followed, or pages looked through
SCAN = WORDS // 4   # a table's entries looked at, one by one
TRANSLATE = 16   # an instruction translated
DMA_BYTES = 32   # moved by a device for a unit
DESCRIPTOR = 100  # of a device's ring, read


@njit
def out_of_work(mem):
    """Whether it is time to look: nothing more should be begun."""
    return mem.work <= 0


@njit
def lend(hart, mem):
    """Let the hart run, if only a little, as far as the work that is left; what was lent to it.

    So that there is progress however much work it was to enter.
    """
    lent = max(LEAST - mem.work, 0)
    mem.work += lent
    mem.look = hart.clock.instret + (min(mem.work, ENDLESS) << INSNS)
    return lent


@njit
def settle_run(hart, mem, since, lent):
    """The hart has run since `since` instructions had retired: that is counted."""
    mem.work -= lent + ((hart.clock.instret - since) >> INSNS)


@njit
def count_flush(hart, mem):
    """All of the TLBs have been looked through."""
    mem.work -= 4 + ((hart.tlb.dmask + hart.tlb.imask) >> 4)


def unlimited(memory) -> None:
    """Never come back for a look: for who takes small steps, and between runs."""
    memory.work = memory.look = NEVER
