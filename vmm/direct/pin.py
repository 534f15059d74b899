"""Answers for making a table of a page and a page of a table, and for the base of tables.

Must not know registers: arguments are values, the answer is 0 or an Error.
"""

import numpy as np

from toyisa.clock import charge
from toyisa.cost import Event
from toyisa.memory import WORDS
from toyisa.mmu import R, V, W, flush
from toyisa.njit import njit
from vmm.direct.frames import (
    acquire_write,
    become,
    is_table,
    kind_of_level,
    owned,
    release_write,
)  # fmt: skip
from vmm.direct.tables import (
    decide_root,
    get_entry,
    mfn_of,
    put_entry,
    release_root,
    release_table,
    set_leaf,
    set_pointer,
    validate_leaves,
    validate_root,
)  # fmt: skip
from vmm.frametypes import LEAVES, NONE, ROOT, WRITABLE
from vmm.hypercalls import REGION, Error
from vmm.space import gfn_of

NO_LEAF = -1


@njit
def _table_at(vm, mem, gva):
    """The second-level table that maps `gva` in the current space, or NO_LEAF."""
    index = gva >> 22
    if index == REGION:
        return np.int64(NO_LEAF)
    pte = get_entry(mem, vm.direct.root, index)
    return mfn_of(pte) if pte & V else np.int64(NO_LEAF)


@njit
def pin_table(vm, hart, mem, gva, level):
    """The page at `gva` becomes a table: mapped read-only, validated, pinned."""
    kind = kind_of_level(level)
    table = _table_at(vm, mem, gva)
    if kind < 0 or table < 0 or gva & 0xFFF:
        return np.int64(Error.INVALID if kind < 0 else Error.ADDRESS)
    index = gva >> 12 & 0x3FF
    pte = get_entry(mem, table, index)
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    if not pte & V:
        return np.int64(Error.ADDRESS)
    direct, mfn = vm.direct, mfn_of(pte)
    writable = pte & W
    if direct.kind[mfn] == WRITABLE and not (writable and direct.uses[mfn] == 1):
        return np.int64(Error.BUSY)  # by another mapping it could still be written
    if direct.kind[mfn] > WRITABLE:
        return np.int64(Error.BUSY)
    if writable:
        _protect(vm, hart, mem, table, index, pte, gva)
    become(vm, hart, mfn, kind)
    error = _validate(vm, hart, mem, mfn, kind)
    if error:
        if writable and acquire_write(vm, mfn):
            put_entry(hart, mem, table, index, pte)
        return error
    direct.pinned[mfn] = 1
    return np.int64(0)


@njit
def _protect(vm, hart, mem, table, index, pte, gva):
    """Take W from the only leaf that has it, and from the TLB."""
    direct, mfn = vm.direct, mfn_of(pte)
    put_entry(hart, mem, table, index, pte & ~W)
    before = direct.written[mfn]
    release_write(vm, mfn)
    if direct.place[table] == gva >> 22:  # no other address leads to this leaf
        flush(hart, gva, np.int64(-1))
        direct.written[mfn] = before
    # else `become` sees to it


@njit
def _validate(vm, hart, mem, mfn, kind):
    """Check what is in a frame that has just become a table; on an Error it is NONE again."""
    if kind == LEAVES:
        return validate_leaves(vm, hart, mem, mfn)
    if kind == ROOT:
        return validate_root(vm, hart, mem, mfn)
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    for index in range(WORDS):
        if get_entry(mem, mfn, index):
            vm.direct.kind[mfn], vm.direct.uses[mfn] = NONE, 0
            return np.int64(Error.INVALID)
    return np.int64(0)


@njit
def unpin_table(vm, hart, mem, gva):
    """The page at `gva` is a table no more: nothing else may use it as one."""
    table = _table_at(vm, mem, gva)
    if table < 0 or gva & 0xFFF:
        return np.int64(Error.ADDRESS)
    index = gva >> 12 & 0x3FF
    pte = get_entry(mem, table, index)
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    if not pte & V or not pte & R:
        return np.int64(Error.ADDRESS)
    direct, mfn = vm.direct, mfn_of(pte)
    if not direct.pinned[mfn]:
        return np.int64(Error.INVALID)
    if direct.uses[mfn] != 1 or mfn == table:
        return np.int64(Error.BUSY)
    direct.pinned[mfn] = 0
    if direct.kind[mfn] == ROOT:
        release_root(vm, hart, mem, mfn)
    elif direct.kind[mfn] == LEAVES:
        release_table(vm, hart, mem, mfn)
    else:
        direct.kind[mfn], direct.uses[mfn] = NONE, 0
    # Its own dissolution may have changed what it was mapped by: look again.
    pte = get_entry(mem, table, index)
    if pte & V and mfn_of(pte) == mfn and acquire_write(vm, mfn):
        put_entry(hart, mem, table, index, pte | W)
    return np.int64(0)


@njit
def new_base(vm, hart, mem, satp):
    """The root table that the guest's `satp` names is the base; flushes nothing."""
    direct = vm.direct
    gfn = gfn_of(vm, (satp & 0x3FFFFF) << 12)
    if gfn < 0 or not satp >> 31 & 1:
        return np.int64(Error.INVALID)
    root = np.int64(vm.p2m[gfn])
    if not owned(vm, root):
        return np.int64(Error.ADDRESS)
    if direct.kind[root] == NONE:
        become(vm, hart, root, np.int64(ROOT))
        error = validate_root(vm, hart, mem, root)
        if error:
            return error
    elif decide_root(vm, hart, mem, root):
        direct.uses[root] += 1
    else:
        return np.int64(Error.DENIED)
    old = np.int64(direct.root)
    direct.root = root
    vm.hart.csr.satp = satp
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    if old >= 0:
        release_root(vm, hart, mem, old)
    return np.int64(0)


@njit
def update_entry(vm, hart, mem, gpa, pte, as_root):
    """The entry of a table at `gpa` becomes `pte`."""
    gfn = gfn_of(vm, gpa)
    if gfn < 0 or gpa & 3:
        return np.int64(Error.ADDRESS)
    mfn = np.int64(vm.p2m[gfn])
    if not owned(vm, mfn) or not is_table(vm, mfn):
        return np.int64(Error.DENIED)
    index = gpa >> 2 & 0x3FF
    if as_root:
        return set_pointer(vm, hart, mem, mfn, index, pte)
    return set_leaf(vm, hart, mem, mfn, index, pte)
