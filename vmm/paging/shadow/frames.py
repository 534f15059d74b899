"""Answers for shadow frames: which are in use, as what, and which one is evicted.

Must not know what is in them, apart from `link.py`'s entries.
"""

import numpy as np

from toyisa.compiled.njit import entry, njit
from toyisa.core.clock import charge
from toyisa.core.memory import WORDS, ram_words
from toyisa.core.sv32 import V
from toyisa.core.work import SCAN
from toyisa.tables.cost import Event
from vmm.domain.asids import return_id
from vmm.domain.exits import ShadowEvent
from vmm.domain.host import host_of
from vmm.domain.record import ENTRIES, FREE, ROOT, SPLIT, TABLE, pages
from vmm.domain.stats import log_shadow
from vmm.paging.shadow.link import BASE_PPN, get_entry, set_entry, unmap
from vmm.paging.shadow.protect import write_protect

DIRECT, KERNEL, KERNEL_MXR = 0, 1, 2  # views: see fill.py
PAGING_OFF_U, PAGING_OFF_S, NOWHERE = -1, -2, -3  # keys of root tables that are not the guest's


@njit
def traced(vm, gfn):
    """Whether stores to a guest frame must be noticed: it is a table, or has `tohost`, or code
    was translated from it.
    """
    page = pages(vm)[gfn]
    return gfn == vm.tohost or page.code != 0 or page.shadows != 0


@njit
def find(vm, view, role, key):
    """The shadow frame with that role and key, or -1."""
    shadow = vm.shadow
    if role == TABLE:
        return np.int64(pages(vm)[key].as_table[view]) - 1
    if role == ROOT:
        if key < 0:
            return np.int64(shadow.special[view, -1 - key]) - 1
        return np.int64(pages(vm)[key].as_root[view]) - 1
    for frame in range(shadow.frames):
        if shadow.role[frame] == SPLIT and shadow.key[frame] == key:
            if shadow.aspect[frame] == view:
                return frame
    return -1


@njit
def _enter(vm, frame, value):
    """Write `value`, the frame plus 1 or 0, where its key finds it."""
    shadow = vm.shadow
    view, role, key = np.int64(shadow.aspect[frame]), shadow.role[frame], shadow.key[frame]
    if role == TABLE:
        pages(vm)[key].as_table[view] = value
    elif role == ROOT and key < 0:
        shadow.special[view, -1 - key] = value
    elif role == ROOT:
        pages(vm)[key].as_root[view] = value
    if role != SPLIT and key >= 0:
        pages(vm)[key].shadows += 1 if value else -1


@njit
def take(vm, hart, mem, view, role, key):
    """A zeroed shadow frame for that role and key; if none is free, the oldest is evicted.

    The current root table stays.  A guest frame that becomes a table is traced from now on.
    """
    shadow = vm.shadow
    mem.work -= SCAN
    frame = np.int64(-1)
    for n in range(shadow.frames):
        candidate = (shadow.hand + n) % shadow.frames
        if shadow.role[candidate] == FREE:
            frame = candidate
            break
    if frame < 0:
        frame = shadow.hand % shadow.frames
        if frame == shadow.root:
            frame = (frame + 1) % shadow.frames
        give_back(vm, hart, mem, frame)
        vm.stats.evicted += 1
        log_shadow(vm, hart, np.int64(ShadowEvent.EVICT), frame, np.int64(0))
    shadow.hand = (frame + 1) % shadow.frames
    if role != SPLIT and key >= 0 and not traced(vm, key):
        write_protect(vm, hart, mem, np.int64(pages(vm)[key].mfn))
        shadow.stale = 1  # even an entry that was removed may still be in the TLB, writable
    shadow.role[frame], shadow.aspect[frame], shadow.key[frame] = role, view, key
    shadow.unused[frame] = 0
    _enter(vm, frame, frame + 1)
    first = (shadow.start + frame) * WORDS
    ram_words(mem)[first : first + WORDS] = 0
    charge(hart, np.int64(Event.ROOT_FRAME), 1)
    log_shadow(vm, hart, np.int64(ShadowEvent.TABLE), role, key)
    if role == ROOT and view != DIRECT and shadow.region:
        set_entry(vm, hart, mem, frame, shadow.slot, V | (BASE_PPN + shadow.region) << 10)
    return frame


@njit
def give_back(vm, hart, mem, frame):
    """The shadow frame is free again: nothing points to it, and it points to nothing."""
    mem.work -= SCAN
    for index in range(ENTRIES):
        if get_entry(vm, mem, frame, index):
            set_entry(vm, hart, mem, frame, index, 0)
    unmap(vm, hart, mem, vm.shadow.start + frame)
    _enter(vm, frame, 0)
    return_id(host_of(vm).asids, np.int64(vm.shadow.space[frame]))
    vm.shadow.space[frame] = 0
    vm.shadow.role[frame] = FREE
    vm.shadow.stale = 1
    vm.shadow.version += 1


@entry
def forget_shadows(hart, mem, vm):
    """Forget every shadow table: the guest's memory may have changed in any way."""
    for frame in range(vm.shadow.frames):
        if vm.shadow.role[frame] != FREE:
            give_back(vm, hart, mem, frame)
    vm.shadow.root = -1
    vm.vcpu.unfinished = 0  # an exit that waits for input begins again
