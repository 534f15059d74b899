"""Answers for guest-physical memory: where it lies in the machine, how it is stored to.

Must not know tables, the guest's or shadow ones.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.access import store_ram
from toyisa.core.memory import PAGE, RAM_BASE, ram_words, within
from vmm.domain.changes import CODE_CHANGED, note_change
from vmm.domain.record import pages


@njit
def gfn_of(vm, gpa):
    """The guest frame of an address, any 64-bit number, or -1 outside the guest's RAM."""
    if not within(gpa, 1, RAM_BASE, RAM_BASE + vm.frames * PAGE):
        return np.int64(-1)
    return (gpa - RAM_BASE) >> 12


@njit
def offset_of(vm, gpa):
    """The machine's RAM offset of a guest-physical address, or -1: no RAM there."""
    gfn = gfn_of(vm, gpa)
    if gfn < 0 or pages(vm)[gfn].mfn < 0:
        return -1
    return np.int64(pages(vm)[gfn].mfn) * PAGE | gpa & (PAGE - 1)


@njit
def backed(vm, gpa, count):
    """Whether `count` bytes (0 .. 2**32) at `gpa`, any 64-bit number, are all guest RAM."""
    if not within(gpa, count, RAM_BASE, RAM_BASE + vm.frames * PAGE):
        return False
    for gfn in range((gpa - RAM_BASE) >> 12, (gpa - RAM_BASE + count + PAGE - 1) >> 12):
        if pages(vm)[gfn].mfn < 0:
            return False
    return True


@njit
def read_word(vm, mem, gpa):
    """The word at a guest-physical address, or -1 outside RAM."""
    at = offset_of(vm, gpa)
    return np.int64(ram_words(mem)[at >> 2]) if at >= 0 else -1


@njit
def write_word(vm, hart, mem, gpa, value):
    """Store a word in guest RAM as the guest's own hart would: with reservations and code
    updated.
    """
    at = offset_of(vm, gpa)
    if at >= 0:
        store_ram(hart, mem, at, 4, value, True)
        if pages(vm)[gfn_of(vm, gpa)].code:
            note_change(vm, CODE_CHANGED | gpa)
