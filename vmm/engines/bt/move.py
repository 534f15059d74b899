"""Answers for the end of the address space at which the monitor's window is.

`imm(x0)` reaches both ends.  Each access of the guest's kernel to its own memory at the
window's end costs a callout.  So if there are many, the window goes to the other end.  For a
kernel that uses both ends it goes to and fro, but each time only after four times as many
accesses.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.sv32 import V
from vmm.domain.record import ROOT
from vmm.engines.bt.cache import flush_cache
from vmm.engines.bt.record import Count
from vmm.engines.bt.window import BOTTOM, CODE, FIRST_AT_TOP, SIZE, TOP
from vmm.paging.shadow.frames import DIRECT
from vmm.paging.shadow.link import BASE_PPN, set_entry

PATIENCE = 32  # accesses before it is moved for the first time
MOST = 1 << 40


@njit
def meet_window(vm, hart, mem, bt):
    """The guest's kernel has accessed its own memory at the window's end, through root."""
    bt.met += 1
    if bt.met >= bt.patience:
        bt.met, bt.patience = 0, min(4 * bt.patience, MOST)
        move_window(vm, hart, mem, bt)


@njit
def move_window(vm, hart, mem, bt):
    """Move the window to the other end, in each address space; all translations are dropped."""
    before = np.int64(vm.shadow.slot)
    after = np.int64(BOTTOM if before == TOP else TOP)
    vm.shadow.slot = after
    table = V | (BASE_PPN + vm.shadow.region) << 10
    for frame in range(vm.shadow.frames):
        if vm.shadow.role[frame] == ROOT and vm.shadow.aspect[frame] != DIRECT:
            set_entry(vm, hart, mem, frame, before, np.int64(0))
            set_entry(vm, hart, mem, frame, after, table)
    vm.shadow.stale = 1  # fast tags, too: they were made under the old limits
    bt.base = (after << 22) + CODE
    bt.first = FIRST_AT_TOP if after else 0
    hart.root.s_limit, hart.root.s_base = after << 22, 0 if after else SIZE
    bt.hold = 0
    flush_cache(vm, hart, mem, bt)
    bt.count[Count.MOVED] += 1
