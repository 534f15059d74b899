"""Answers for making a page a table and a table a page again, and for the current root table.

Must not know registers: arguments are values, the answer is 0 or an Error.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.memory import WORDS
from toyisa.core.sv32 import R, V, W
from toyisa.core.tlb import flush
from toyisa.core.work import SCAN
from toyisa.tables.bits import PAGE_SHIFT, SATP_MODE_SV32, SATP_PPN_MASK
from toyisa.tables.cost import Event
from vmm.abi.hypercalls import REGION, Error
from vmm.domain.frametypes import IDLE, LEAVES, NONE, RELEASING, ROOT, WRITABLE
from vmm.domain.host import frames
from vmm.domain.record import pages
from vmm.domain.space import gfn_of
from vmm.paging.direct.frames import (
    acquire_write,
    become,
    is_table,
    kind_of_level,
    owned,
    release_write,
)  # fmt: skip
from vmm.paging.direct.validate import (
    MORE,
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
    """The page at `gva` becomes a table: mapped read-only, validated, pinned.

    It answers MORE if it is out of work, like `unpin_table` and `new_base`: call it again
    with the same arguments.
    """
    direct, kind = vm.direct, kind_of_level(level)
    table, index = _table_at(vm, mem, gva), gva >> 12 & 0x3FF
    if kind < 0 or table < 0 or gva & 0xFFF:
        return np.int64(Error.INVALID if kind < 0 else Error.ADDRESS)
    if direct.stage == IDLE:
        error = _begin_pin(vm, hart, mem, table, gva, kind)
        if error:
            return error
    pte = np.int64(direct.before)
    error = _validate(vm, hart, mem, mfn_of(pte), kind)
    if error == 0:
        frames(vm)[mfn_of(pte)].pinned = 1
    elif error != MORE and pte & W and acquire_write(vm, mfn_of(pte)):
        put_entry(hart, mem, table, index, pte)
    return error


@njit
def _begin_pin(vm, hart, mem, table, gva, kind):
    """Make a table of the page that `table` maps at `gva`, not validated yet; 0 or an Error."""
    index = gva >> 12 & 0x3FF
    pte = get_entry(mem, table, index)
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    if not pte & V:
        return np.int64(Error.ADDRESS)
    mfn = mfn_of(pte)
    frame = frames(vm)[mfn]
    if frame.kind == WRITABLE and not (pte & W and frame.uses == 1):
        return np.int64(Error.BUSY)  # it could still be written through another mapping
    if frame.kind > WRITABLE:
        return np.int64(Error.BUSY)
    if pte & W:
        _protect(vm, hart, mem, table, index, pte, gva)
    become(vm, hart, mfn, kind)
    vm.direct.before = pte
    return np.int64(0)


@njit
def _protect(vm, hart, mem, table, index, pte, gva):
    """Remove W from the only leaf that has it, and from the TLB."""
    mfn = mfn_of(pte)
    frame = frames(vm)[mfn]
    put_entry(hart, mem, table, index, pte & ~W)
    before = np.int64(frame.written)
    release_write(vm, mfn)
    if frames(vm)[table].place == gva >> 22:  # no other address leads to this leaf
        flush(hart, gva, np.int64(-1))
        frame.written = before
    # otherwise `become` does it


@njit
def _validate(vm, hart, mem, mfn, kind):
    """Check the contents of a frame that has just become a table; on an Error it is NONE again."""
    if kind == LEAVES:
        return validate_leaves(vm, hart, mem, mfn)
    if kind == ROOT:
        return validate_root(vm, hart, mem, mfn)
    charge(hart, np.int64(Event.ROOT_WORD), WORDS)
    mem.work -= SCAN
    for index in range(WORDS):
        if get_entry(mem, mfn, index):
            frame = frames(vm)[mfn]
            frame.kind, frame.uses = NONE, 0
            return np.int64(Error.INVALID)
    return np.int64(0)


@njit
def unpin_table(vm, hart, mem, gva):
    """The page at `gva` is not a table any more: nothing else may use it as one."""
    direct = vm.direct
    table, index = _table_at(vm, mem, gva), gva >> 12 & 0x3FF
    if table < 0 or gva & 0xFFF:
        return np.int64(Error.ADDRESS)
    if direct.stage == IDLE:
        error = _begin_unpin(vm, hart, mem, table, index)
        if error:
            return error
    mfn = mfn_of(np.int64(direct.before))
    frame = frames(vm)[mfn]
    if frame.kind == ROOT:
        if release_root(vm, hart, mem, mfn):
            return np.int64(MORE)
    elif frame.kind == LEAVES:
        release_table(vm, hart, mem, mfn)
    else:
        frame.kind, frame.uses = NONE, 0
    # When it was dissolved, the mapping of the page itself may have changed: look again.
    pte = get_entry(mem, table, index)
    if pte & V and mfn_of(pte) == mfn and acquire_write(vm, mfn):
        put_entry(hart, mem, table, index, pte | W)
    return np.int64(0)


@njit
def _begin_unpin(vm, hart, mem, table, index):
    """Unpin the table that entry `index` of `table` maps; 0 or an Error."""
    pte = get_entry(mem, table, index)
    charge(hart, np.int64(Event.ROOT_WORD), 2)
    if not pte & V or not pte & R:
        return np.int64(Error.ADDRESS)
    mfn = mfn_of(pte)
    frame = frames(vm)[mfn]
    if not frame.pinned:
        return np.int64(Error.INVALID)
    if frame.uses != 1 or mfn == table:
        return np.int64(Error.BUSY)
    frame.pinned = 0
    vm.direct.before = pte
    return np.int64(0)


@njit
def new_base(vm, hart, mem, satp):
    """Use the root table that the guest's `satp` names; flushes nothing."""
    direct = vm.direct
    gfn = gfn_of(vm, (satp & SATP_PPN_MASK) << PAGE_SHIFT)
    if gfn < 0 or not satp & SATP_MODE_SV32:
        return np.int64(Error.INVALID)
    root = np.int64(pages(vm)[gfn].mfn)
    if not owned(vm, root):
        return np.int64(Error.ADDRESS)
    if direct.stage != RELEASING:
        error = _take_root(vm, hart, mem, root)
        if error:
            return error
        direct.before = direct.root
        direct.root = root
        vm.vcpu.hart.csr.satp = satp
        charge(hart, np.int64(Event.ROOT_WORD), 2)
    if direct.before >= 0:
        return release_root(vm, hart, mem, np.int64(direct.before))
    return np.int64(0)


@njit
def _take_root(vm, hart, mem, root):
    """Use the frame as a root table once more, validated if it was not a table; 0, MORE or an
    Error.
    """
    direct, frame = vm.direct, frames(vm)[root]
    if frame.kind == NONE:
        become(vm, hart, root, np.int64(ROOT))
        return validate_root(vm, hart, mem, root)
    if direct.stage != IDLE:
        return validate_root(vm, hart, mem, root)
    if not decide_root(vm, hart, mem, root):
        return np.int64(Error.DENIED)
    frame.uses += 1
    return np.int64(0)


@njit
def update_entry(vm, hart, mem, gpa, pte, as_root):
    """The entry of a table at `gpa` becomes `pte`."""
    gfn = gfn_of(vm, gpa)
    if gfn < 0 or gpa & 3:
        return np.int64(Error.ADDRESS)
    mfn = np.int64(pages(vm)[gfn].mfn)
    if not owned(vm, mfn) or not is_table(vm, mfn):
        return np.int64(Error.DENIED)
    index = gpa >> 2 & 0x3FF
    if as_root:
        return set_pointer(vm, hart, mem, mfn, index, pte)
    return set_leaf(vm, hart, mem, mfn, index, pte)
