"""Answers for write protection: no shadow entry lets the guest store to a frame.

Frames with guest tables or translated code are protected, so that a store to one comes to
root (`trace.py`, and the engines' own handlers).
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.memory import WORDS, ram_words
from toyisa.core.sv32 import W
from toyisa.core.work import CHAIN
from toyisa.tables.cost import Event
from vmm.domain.host import frames
from vmm.domain.record import links


@njit
def write_protect(vm, hart, mem, mfn):
    """Remove W from every entry that maps machine frame `mfn`."""
    place, steps = np.int64(frames(vm)[mfn].head) - 1, np.int64(0)
    while place >= 0:
        steps += 1
        at = vm.shadow.start * WORDS + place
        pte = np.int64(ram_words(mem)[at])
        if pte & W:
            ram_words(mem)[at] = pte & ~W
            charge(hart, np.int64(Event.ROOT_WORD), 1)
        place = np.int64(links(vm)[place].next) - 1
    mem.work -= steps >> CHAIN
