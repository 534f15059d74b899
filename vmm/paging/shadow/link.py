"""Answers for the entries of shadow tables and what each points to, in both directions.

Every valid entry is in a chain with all others that point to the same machine frame, a page
of the guest or a shadow table.  So "who maps this frame" needs no search. Must not know what
an entry means.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.memory import RAM_BASE, WORDS, ram_words
from toyisa.core.sv32 import V
from toyisa.core.work import CHAIN, ENTRY
from toyisa.tables.cost import Event
from vmm.domain.host import frames
from vmm.domain.record import ENTRIES, links

BASE_PPN = RAM_BASE >> 12


@njit
def get_entry(vm, mem, frame, index):
    """Entry `index` of a shadow frame."""
    return np.int64(ram_words(mem)[(vm.shadow.start + frame) * WORDS + index])


@njit
def set_entry(vm, hart, mem, frame, index, pte):
    """Write an entry of a shadow frame; 0 makes it invalid.

    The TLB may still hold the old one; the caller knows whether that matters.
    """
    at = (vm.shadow.start + frame) * WORDS + index
    old = np.int64(ram_words(mem)[at])
    if old == pte:
        return
    mem.work -= ENTRY
    place = frame * ENTRIES + index
    if (old & V and old >> 10 != pte >> 10) or not pte & V:
        _unlink(vm, place, old)
    if pte & V and (not old & V or old >> 10 != pte >> 10):
        _link(vm, place, pte)
    ram_words(mem)[at] = pte
    charge(hart, np.int64(Event.ROOT_WORD), 1)


@njit
def mfn_of(pte):
    """The machine frame number, from RAM's base, to which an entry points."""
    return (pte >> 10) - BASE_PPN


@njit
def _link(vm, place, pte):
    frame, link = frames(vm)[mfn_of(pte)], links(vm)[place]
    first = np.int64(frame.head)
    link.next = first
    link.prev = 0
    if first:
        links(vm)[first - 1].prev = place + 1
    frame.head = place + 1


@njit
def _unlink(vm, place, pte):
    if not pte & V:
        return
    link = links(vm)[place]
    after, before = np.int64(link.next), np.int64(link.prev)
    if before:
        links(vm)[before - 1].next = after
    else:
        frames(vm)[mfn_of(pte)].head = after
    if after:
        links(vm)[after - 1].prev = before


@njit
def unmap(vm, hart, mem, mfn):
    """Make every entry that points to machine frame `mfn` invalid."""
    place, steps = np.int64(frames(vm)[mfn].head) - 1, np.int64(0)
    while place >= 0:
        steps += 1
        ram_words(mem)[vm.shadow.start * WORDS + place] = 0
        place = np.int64(links(vm)[place].next) - 1
    frames(vm)[mfn].head = 0
    charge(hart, np.int64(Event.ROOT_WORD), steps)
    mem.work -= steps >> CHAIN


@njit
def leads_to(vm, mem, root, frame):
    """Whether an entry of the shadow frame `root` points to the shadow frame `frame`."""
    place, steps = np.int64(frames(vm)[vm.shadow.start + frame].head) - 1, np.int64(0)
    while place >= 0 and place // ENTRIES != root:
        steps += 1
        place = np.int64(links(vm)[place].next) - 1
    mem.work -= steps >> CHAIN
    return place >= 0
