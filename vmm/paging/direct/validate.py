"""Answers for what a page table may contain, and for counting the uses by its entries.

A whole table is validated once, when a frame becomes one; after that each entry when it is
changed.  Must not know who asks.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.access import store_ram
from toyisa.core.clock import charge
from toyisa.core.memory import RAM_BASE, WORDS, ram_words
from toyisa.core.sv32 import A, D, R, U, V, W, X
from toyisa.core.work import ENTRY, SCAN, out_of_work
from toyisa.tables.cost import Event
from vmm.abi.hypercalls import REGION, Error
from vmm.domain.frametypes import IDLE, LEAVES, NONE, OPEN, RELEASING, ROOT, UNDOING, VALIDATING
from vmm.domain.host import frames
from vmm.paging.direct.frames import (
    acquire_write,
    become,
    decide,
    owned,
    release_write,
    stand_at,
)  # fmt: skip

BASE_PPN = RAM_BASE >> 12
MORE = 1  # an answer beside 0 and an Error, for a root table: out of work, call again


@njit
def mfn_of(pte):
    """The machine frame number, from RAM's base, in an entry."""
    return (pte >> 10) - BASE_PPN


@njit
def get_entry(mem, table, index):
    """Entry `index` of the table in machine frame `table`."""
    return np.int64(ram_words(mem)[table * WORDS + (index & (WORDS - 1))])


@njit
def put_entry(hart, mem, table, index, pte):
    """Store an entry as the hart would: reservations and decoded code are updated."""
    store_ram(hart, mem, (table * WORDS + (index & (WORDS - 1))) * 4, 4, pte, True)
    charge(hart, np.int64(Event.ROOT_WORD), 1)


@njit
def acquire_leaf(vm, pte):
    """Check an entry of a second-level table and count its use; 0 or an Error."""
    if not pte & V:
        return np.int64(0)  # the rest of it belongs to the guest
    if pte & (R | X) == 0 or pte & (R | W) == W:
        return np.int64(Error.INVALID)
    mfn = mfn_of(pte)
    if not owned(vm, mfn):
        return np.int64(Error.DENIED)
    if pte & W and not acquire_write(vm, mfn):
        return np.int64(Error.DENIED)
    return np.int64(0)


@njit
def release_leaf(vm, pte):
    """An entry of a second-level table was removed."""
    if pte & V and pte & W:
        release_write(vm, mfn_of(pte))


@njit
def acquire_pointer(vm, hart, mem, pte, index):
    """Check entry `index` of a root table and count its use; 0 or an Error."""
    mem.work -= ENTRY
    if not pte & V:
        return np.int64(0)
    if pte & (R | W | X | U | A | D):
        return np.int64(Error.INVALID)  # a superpage, or reserved by the manual
    table = mfn_of(pte)
    if not owned(vm, table):
        return np.int64(Error.DENIED)
    error = _acquire_leaves(vm, hart, mem, table)
    if error == 0:
        stand_at(vm, table, index)
    return error


@njit
def _acquire_leaves(vm, hart, mem, table):
    """Use the frame as a second-level table once more; 0 or an Error."""
    frame = frames(vm)[table]
    if frame.kind == NONE:
        become(vm, hart, table, np.int64(LEAVES))
        return validate_leaves(vm, hart, mem, table)
    if not decide(vm, table, np.int64(LEAVES)):
        return np.int64(Error.DENIED)
    frame.uses += 1
    return np.int64(0)


@njit
def validate_leaves(vm, hart, mem, table):
    """Check all of a frame that has just become LEAVES; on an Error it is NONE again."""
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    mem.work -= SCAN
    for index in range(WORDS):
        error = acquire_leaf(vm, get_entry(mem, table, index))
        if error:
            for done in range(index):
                release_leaf(vm, get_entry(mem, table, done))
            _forget(vm, table)
            return error
    return np.int64(0)


@njit
def validate_root(vm, hart, mem, root):
    """The same for a frame that has just become ROOT; the monitor adds its own entry.

    MORE if it is out of work: a root table can lead to a million entries.
    """
    direct = vm.direct
    if direct.stage == IDLE:
        charge(hart, np.int64(Event.ROOT_WORD), WORDS)
        direct.stage, direct.next = VALIDATING, 0
        direct.fault = Error.DENIED if get_entry(mem, root, REGION) & V else 0
    while direct.stage == VALIDATING and direct.fault == 0 and direct.next < REGION:
        if out_of_work(mem):
            return np.int64(MORE)
        index = direct.next
        direct.fault = acquire_pointer(vm, hart, mem, get_entry(mem, root, index), index)
        direct.next = index + 1
    if direct.fault:
        return _undo_root(vm, hart, mem, root)
    direct.stage = IDLE
    add_region(vm, hart, mem, root)
    return np.int64(0)


@njit
def _undo_root(vm, hart, mem, root):
    """An entry of the root table was refused: release those before it; the Error, or MORE."""
    direct = vm.direct
    if direct.stage == VALIDATING:
        direct.stage, direct.end, direct.next = UNDOING, direct.next - 1, 0
    if _release_pointers(vm, hart, mem, root, direct.end):
        return np.int64(MORE)
    _forget(vm, root)
    return np.int64(direct.fault)


@njit
def _release_pointers(vm, hart, mem, root, end):
    """Release the entries of the root table from `next` up to `end`; MORE, or 0 when all is
    done.
    """
    direct = vm.direct
    while direct.next < end:
        if out_of_work(mem):
            return np.int64(MORE)
        index = direct.next
        direct.next = index + 1
        release_pointer(vm, hart, mem, get_entry(mem, root, index))
    direct.stage = IDLE
    return np.int64(0)


@njit
def add_region(vm, hart, mem, root):
    """Entry 1023 of a root table belongs to the monitor."""
    put_entry(hart, mem, root, REGION, region_entry(vm))


@njit
def region_entry(vm):
    """The entry that leads to the window."""
    return (BASE_PPN + vm.direct.region) << 10 | V


@njit
def _forget(vm, mfn):
    frame = frames(vm)[mfn]
    frame.kind = NONE
    frame.uses = 0
    frame.pinned = 0


@njit
def release_pointer(vm, hart, mem, pte):
    """An entry of a root table was removed."""
    if pte & V:
        release_table(vm, hart, mem, mfn_of(pte))


@njit
def _dissolve_leaves(vm, hart, mem, table):
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    mem.work -= SCAN
    for index in range(WORDS):
        release_leaf(vm, get_entry(mem, table, index))
    _forget(vm, table)


@njit
def release_table(vm, hart, mem, table):
    """A use of a second-level table is gone; without a use it is not a table any more."""
    frame = frames(vm)[table]
    frame.uses -= 1
    if frame.uses == 0:
        _dissolve_leaves(vm, hart, mem, table)


@njit
def release_root(vm, hart, mem, root):
    """A use of a root table is gone; without a use it is not a table any more.  MORE, or 0."""
    direct = vm.direct
    if direct.stage != RELEASING:
        frame = frames(vm)[root]
        frame.uses -= 1
        if frame.uses:
            return np.int64(0)
        charge(hart, np.int64(Event.ROOT_WORD), WORDS)
        direct.stage, direct.next = RELEASING, 0
    if _release_pointers(vm, hart, mem, root, np.int64(REGION)):
        return np.int64(MORE)
    put_entry(hart, mem, root, REGION, 0)
    _forget(vm, root)
    return np.int64(0)


@njit
def set_leaf(vm, hart, mem, table, index, pte):
    """Set entry `index` of the second-level table to `pte`; 0 or an Error."""
    if not decide(vm, table, np.int64(LEAVES)):
        return np.int64(Error.DENIED)
    error = acquire_leaf(vm, pte)
    if error == 0:
        charge(hart, np.int64(Event.ROOT_WORD), 1)
        release_leaf(vm, get_entry(mem, table, index))
        put_entry(hart, mem, table, index, pte)
    return error


@njit
def decide_root(vm, hart, mem, table):
    """Whether the table is a root table; if its type was open, it is one from now on."""
    frame = frames(vm)[table]
    if frame.kind == OPEN:
        frame.kind = ROOT
        add_region(vm, hart, mem, table)
    return frame.kind == ROOT


@njit
def set_pointer(vm, hart, mem, root, index, pte):
    """Set entry `index` of the root table to `pte`; 0 or an Error."""
    if index == REGION:
        return np.int64(Error.DENIED)
    if not decide_root(vm, hart, mem, root):
        return np.int64(Error.DENIED)
    error = acquire_pointer(vm, hart, mem, pte, index)
    if error == 0:
        charge(hart, np.int64(Event.ROOT_WORD), 1)
        old = get_entry(mem, root, index)
        put_entry(hart, mem, root, index, pte)
        release_pointer(vm, hart, mem, old)
    return error
