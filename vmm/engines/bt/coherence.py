"""Answers for translated code being what the guest's memory and tables say now.

Pages of guest code are known by their guest-virtual address and frame.  The frames are
traced: a store to one is noticed, and the blocks that it changes are invalidated.  When a
table that may map such a page changes, or another address space is entered, the pages are
looked up again.

Address spaces in which all code that was met lies at the same places are a *group*, and share
their translations.  Most kernels are mapped in each of their address spaces: one group.
Otherwise (xv6's processes share only a trampoline with the kernel) there is another group,
and no translation is lost when the kernel changes spaces.  If there are more kinds of spaces
than groups, the next group is taken over, and what lies elsewhere in it is dropped.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.sv32 import FETCH, A
from toyisa.core.work import CHAIN, ENTRY
from vmm.domain.changes import ROOT_CHANGED, TABLE_CHANGED
from vmm.domain.guestwalk import gpa_of, walk_guest
from vmm.domain.record import CHANGES, TABLE, pages
from vmm.domain.space import gfn_of
from vmm.engines.bt.cache import flush_cache
from vmm.engines.bt.chain import kill_unit
from vmm.engines.bt.record import Count
from vmm.engines.bt.window import GROUPS
from vmm.paging.shadow.frames import find, take
from vmm.paging.shadow.protect import write_protect

GONE = -1  # p_gva of a page without blocks
KEYS = 1 << 32  # added to the key of a root table, so that 0 is not a key
ELSEWHERE, UNTOUCHED, FITS = range(3)  # p_fits
MOST_WATCHED = 64  # tables that an entry begins to watch: for each, another may have to be evicted


@njit
def page_of(vm, hart, mem, bt, gva, gfn):
    """The number of the page of code at `gva` in guest frame `gfn`; recorded if it is new."""
    mem.work -= bt.pages >> CHAIN
    for page in range(bt.pages):
        if bt.p_gva[page] == gva and bt.p_gfn[page] == gfn and bt.p_group[page] == bt.group:
            return page
    page = bt.pages
    bt.pages += 1
    bt.p_gva[page], bt.p_gfn[page], bt.p_units[page] = gva, gfn, 0
    bt.p_group[page] = bt.group
    known = pages(vm)[gfn]
    if not known.code:
        known.code = 1
        write_protect(vm, hart, mem, np.int64(known.mfn))
        vm.shadow.stale = 1
    return page


@njit
def watch_table(vm, hart, mem):
    """Make sure that changes in the second-level table of the last walk will be noticed."""
    if not _watched(vm):
        take(vm, hart, mem, np.int64(vm.shadow.aspect[vm.shadow.root]), TABLE, vm.vcpu.walk.table)


@njit
def _watched(vm):
    view = np.int64(vm.shadow.aspect[vm.shadow.root])
    return vm.vcpu.walk.table < 0 or find(vm, view, TABLE, vm.vcpu.walk.table) >= 0


@njit
def kill_page(vm, hart, mem, bt, page):
    """Invalidate every block translated from this page."""
    mem.work -= bt.pages >> CHAIN
    unit = np.int64(bt.p_units[page]) - 1
    while unit >= 0:
        mem.work -= ENTRY
        kill_unit(hart, mem, bt, unit)
        unit = np.int64(bt.u_sibling[unit]) - 1
    bt.p_units[page] = 0
    gfn = bt.p_gfn[page]
    bt.p_gva[page], bt.p_gfn[page] = GONE, GONE
    for other in range(bt.pages):
        if bt.p_gfn[other] == gfn:
            return
    pages(vm)[gfn].code = 0


@njit
def follow_changes(vm, hart, mem, bt):
    """Handle what has changed since the last time."""
    if vm.changes == 0:
        return
    mem.work -= min(vm.changes, CHANGES) * bt.pages >> CHAIN
    if vm.changes > CHANGES:
        flush_cache(vm, hart, mem, bt)
        bt.version += 1
    else:
        for n in range(vm.changes):
            what = vm.changed[n]
            if what >= ROOT_CHANGED:
                _remapped(bt, 22, what - ROOT_CHANGED)
            elif what >= TABLE_CHANGED:
                _remapped(bt, 12, what - TABLE_CHANGED)
            else:
                _rewritten(vm, hart, mem, bt, what)
    vm.changes = 0


@njit
def _remapped(bt, shift, index):
    """Entry `index` of some table has changed: is there code that it may map?"""
    for page in range(bt.pages):
        if bt.p_gva[page] >= 0 and bt.p_gva[page] >> shift & 0x3FF == index:
            bt.version += 1
            return


@njit
def _rewritten(vm, hart, mem, bt, gpa):
    """The word at `gpa` has changed: drop the blocks translated from it."""
    gfn = gfn_of(vm, gpa)
    for page in range(bt.pages):
        if bt.p_gfn[page] != gfn:
            continue
        gva = bt.p_gva[page] | gpa & 0xFFC
        before = np.int64(-1)
        unit = np.int64(bt.p_units[page]) - 1
        while unit >= 0:
            mem.work -= ENTRY
            after = np.int64(bt.u_sibling[unit]) - 1
            if 0 <= gva - np.int64(bt.u_gpc[unit]) < 4 * np.int64(bt.u_insns[unit]):
                kill_unit(hart, mem, bt, unit)
                if before >= 0:
                    bt.u_sibling[before] = after + 1
                else:
                    bt.p_units[page] = after + 1
            else:
                before = unit
            unit = after
        if bt.p_units[page] == 0:
            kill_page(vm, hart, mem, bt, page)


@njit
def verify(vm, hart, mem, bt):
    """Make sure that every page of the space's group lies where the space maps it, or drop it.

    If more tables must be watched than half of the shadow frames, or than MOST_WATCHED, this
    is done at each entry: the other half is for what the guest accesses.
    """
    root = vm.shadow.root
    key = np.int64(vm.shadow.key[root]) + KEYS
    # Before tables are watched, for which others may be evicted
    version = bt.version + vm.shadow.version
    if bt.verified[root] == version and bt.space_key[root] == key:
        bt.group = bt.space_group[root]
        return
    if bt.space_key[root] == key:
        bt.group = bt.space_group[root]
    else:
        bt.space_seen[root] = 0
    room = np.int64(min(vm.shadow.frames // 2, MOST_WATCHED))
    room, fits = _look_up(vm, hart, mem, bt, room, np.int64(bt.space_seen[root]))
    if not fits:
        room = _other_group(vm, hart, mem, bt, room)
    for page in range(bt.pages):
        if bt.p_gva[page] >= 0 and bt.p_group[page] == bt.group and bt.p_fits[page] != FITS:
            kill_page(vm, hart, mem, bt, page)
    bt.space_key[root], bt.space_group[root], bt.space_seen[root] = key, bt.group, bt.pages
    bt.verified[root] = version if room >= 0 else -1


@njit
def _look_up(vm, hart, mem, bt, room, seen):
    """Look up each page of the group in the current space; return what is left of `room`, and if
    all fit.

    `p_fits` then says it for each page.  A page that the space has not accessed yet does no
    harm, nor does one of the first `seen`: it was there, and so the space's tables have
    changed.
    """
    every = True
    for page in range(bt.pages):
        gva = bt.p_gva[page]
        if gva < 0 or bt.p_group[page] != bt.group:
            continue
        leaf = walk_guest(vm, hart, mem, gva, np.int64(FETCH), True)
        bt.count[Count.VERIFIED] += 1
        bt.p_fits[page] = ELSEWHERE
        if leaf < 0 or gfn_of(vm, gpa_of(leaf, gva)) != bt.p_gfn[page]:
            every = every and page < seen
        elif not leaf & A:
            bt.p_fits[page] = UNTOUCHED
        else:
            bt.p_fits[page] = FITS
            if not _watched(vm):
                room -= 1
                if room >= 0:
                    watch_table(vm, hart, mem)
    return room, every


@njit
def _other_group(vm, hart, mem, bt, room):
    """Put the current space, which does not fit its group, into a group that it fits, if there
    is one.
    """
    was, empty = bt.group, np.int64(-1)
    for group in range(GROUPS):
        mem.work -= bt.pages >> CHAIN
        pages = 0
        for page in range(bt.pages):
            pages += bt.p_gva[page] >= 0 and bt.p_group[page] == group
        if group == was:
            continue
        if pages == 0:
            empty = group
            continue
        bt.group = group
        room, fits = _look_up(vm, hart, mem, bt, room, np.int64(0))
        if fits:
            return room
    bt.group = empty if empty >= 0 else was
    return room
