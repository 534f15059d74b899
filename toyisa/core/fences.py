"""Answers for the watch over translations: is a use of the TLB checked against the tables?

Whoever looks for a missing `sfence.vma` gives the hart a record FENCES; its address is usually
0.  While it is there, a hart sets no fast tag for a translated address, so that every access
asks the modelled TLB, and `mmu.py` compares its answer with the tables.  The watch costs host
time only: no cycle, no count and no answer of the machine changes.  Must not know which answer
is wrong, nor whose tables they are.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.memory import MAX_FRAMES, PAGE, RAM_BASE, sparse
from toyisa.core.state import record

EDITS = 1 << 16  # words of tables whose last store is remembered: a power of two

FENCES = record(
    ("on", "i8"),     # 0: uses are not compared, as when the hart is to do one that differs
    ("found", "i8"),  # 1: the hart stands before a use that differs from the tables
    ("at", "i8", EDITS), ("pc", "u4", EDITS),  # a word of a table, and what stored there last
    ("tables", "u1", MAX_FRAMES),              # 1: the frame holds a table that was walked
)  # fmt: skip


@njit
def fences_of(hart):
    """The record of a hart that has one: `hart.fences` is not 0."""
    return view(hart.fences, 1, FENCES)[0]


@njit
def note_table(hart, offset):
    """A walk has read the entry at this RAM offset."""
    fences_of(hart).tables[offset // PAGE] = 1


@njit
def note_edit(hart, pa, pc):
    """The instruction at `pc` has stored to a table, at `pa`.

    The monitor calls it, too, since a guest's stores to its tables come to root.
    """
    fences = fences_of(hart)
    place = pa >> 2 & EDITS - 1
    fences.at[place], fences.pc[place] = pa & ~3, pc


@njit
def note_store(hart, mem, pa, pc):
    """The instruction at `pc` has stored at `pa`, which may be in a table that was walked."""
    if RAM_BASE <= pa < RAM_BASE + mem.ram_size:
        if fences_of(hart).tables[(pa - RAM_BASE) // PAGE]:
            note_edit(hart, pa, pc)


def new_fences() -> np.record:
    """A record of a watch that is off."""
    return sparse(1, FENCES)[0]


def attach(fences: np.record, *harts: np.record) -> None:
    """Let the harts use the record, which must exist as long as they run."""
    for hart in harts:
        hart.fences = np.frombuffer(fences, np.uint8).ctypes.data


def edited(fences: np.record, at: int) -> int | None:
    """The pc of the instruction that last stored to the word of a table at `at`, if known."""
    place = at >> 2 & EDITS - 1
    return int(fences.pc[place]) if int(fences.at[place]) == at else None
