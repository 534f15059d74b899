"""Answers for stores to traced frames: shadow tables follow the guest's tables.

The guest may rely on a change only after `sfence.vma`, so the real TLB is not flushed.  Must
not know how the store was noticed.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.sv32 import A, R, V, W, X
from vmm.domain.changes import ROOT_CHANGED, TABLE_CHANGED, note_change
from vmm.domain.exits import ShadowEvent
from vmm.domain.record import VIEWS, pages
from vmm.domain.space import read_word
from vmm.domain.stats import log_shadow
from vmm.paging.shadow.fill import set_leaf
from vmm.paging.shadow.frames import DIRECT, give_back
from vmm.paging.shadow.link import leads_to, set_entry

# So many stores to a table to which no current root table leads: it is not a table any more
STRAY = 8


@njit
def table_written(vm, hart, mem, gfn, gpa):
    """The word at `gpa` in the traced guest frame `gfn` has changed."""
    index = gpa >> 2 & 0x3FF
    for view in range(VIEWS):
        root = np.int64(pages(vm)[gfn].as_root[view]) - 1
        if root >= 0:
            note_change(vm, ROOT_CHANGED | index)
        if root >= 0 and (view == DIRECT or not vm.shadow.region or index != vm.shadow.slot):
            set_entry(vm, hart, mem, root, index, 0)
            if root != vm.shadow.root:
                _stray(vm, hart, mem, root)
        table = np.int64(pages(vm)[gfn].as_table[view]) - 1
        if table >= 0:
            note_change(vm, TABLE_CHANGED | index)
            pte = read_word(vm, mem, gpa & ~3)
            _follow(vm, hart, mem, table, gpa, pte)
            if vm.shadow.root < 0 or not leads_to(vm, mem, vm.shadow.root, table):
                _stray(vm, hart, mem, table)


@njit
def _follow(vm, hart, mem, table, gpa, pte):
    """Fill the entry eagerly if the guest will use it: it was just written, and has A set."""
    index = gpa >> 2 & 0x3FF
    usable = pte & (V | A) == V | A and pte & (R | X) and (pte & (R | W)) != W
    if usable:
        vm.stats.eager += 1
        log_shadow(vm, hart, np.int64(ShadowEvent.FOLLOW), gpa, pte)
        set_leaf(vm, hart, mem, table, index, pte & 0xFF | pte >> 10 << 10)
    else:
        log_shadow(vm, hart, np.int64(ShadowEvent.DROP), gpa, pte)
        set_entry(vm, hart, mem, table, index, 0)


@njit
def _stray(vm, hart, mem, frame):
    """A store to a table that is not in use: after some, it is not a table any more."""
    vm.shadow.unused[frame] += 1
    if vm.shadow.unused[frame] >= STRAY:
        give_back(vm, hart, mem, frame)
        vm.stats.unshadowed += 1
        log_shadow(vm, hart, np.int64(ShadowEvent.STRAY), frame, np.int64(0))
