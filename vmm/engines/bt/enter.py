"""Answers for entering the guest: its kernel through the cache, its users directly.

It finds or makes the block for the virtual pc, and puts the virtual state where translated
code finds it.  Must not know why the guest was left.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.clock import charge
from toyisa.core.interrupts import pending_bits
from toyisa.core.memory import ram_words
from toyisa.core.mmu import PAGE_FAULT, access_fault, page_fault
from toyisa.core.state import NEVER
from toyisa.core.sv32 import FETCH, MXR, SUM
from toyisa.core.tlb import recontext
from toyisa.core.work import TRANSLATE
from toyisa.tables.bits import SSTATUS_SIE
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from toyisa.tables.levels import Level
from toyisa.tables.ops import Op
from vmm.domain.exits import Kind
from vmm.domain.guestwalk import gpa_of, walk_guest
from vmm.domain.space import gfn_of, offset_of
from vmm.engines.bt.cache import (
    STEP_AT,
    address_of,
    enter_unit,
    find_unit,
    flush_cache,
    full,
    is_jump,
    jump_at,
    not_counted,
    place,
    words_at,
)
from vmm.engines.bt.chain import chain, lay_out
from vmm.engines.bt.coherence import follow_changes, page_of, verify, watch_table
from vmm.engines.bt.copies import as_known, copy_wanted, links, of_group, return_address
from vmm.engines.bt.record import CALL, COPIED, UNIT_INSNS, Aside, Count, Fans, Site
from vmm.engines.bt.targets import hold_target
from vmm.engines.bt.translate import base_op, translate
from vmm.engines.bt.window import Slot
from vmm.engines.bt.words import HIGH, RA
from vmm.exit.emulate import emulate_system
from vmm.exit.inject import forward_exception
from vmm.paging.shadow.frames import DIRECT, KERNEL, KERNEL_MXR
from vmm.paging.shadow.satp import select_root

MOST_LEFT = 1 << 30  # fits the window's word


@njit
def enter(vm, hart, mem, bt):
    """Make the hart ready; RUN, or the reason of a fetch fault that cannot be taken."""
    virtual = vm.vcpu.hart
    if _stays(vm, hart, bt):
        _go_on(vm, hart, mem, bt)
        return np.int64(Reason.RUN)
    bt.stepping, again, fenced = 0, vm.vcpu.again != 0, False
    while True:
        hart.priv = virtual.priv
        hart.csr.sstatus = np.int64(virtual.csr.sstatus) & (SUM | MXR)
        if virtual.priv == Level.U:
            select_root(vm, hart, mem, np.int64(DIRECT))
            bt.in_code, bt.link, bt.hold = 0, -1, 0
            hart.pc = virtual.pc
            break
        mxr = np.int64(virtual.csr.sstatus) & MXR
        select_root(vm, hart, mem, np.int64(KERNEL_MXR if mxr else KERNEL))
        if not again or vm.changes:  # else nothing has changed since it last ran
            follow_changes(vm, hart, mem, bt)
            verify(vm, hart, mem, bt)
        again = False
        bt.ended = 0
        if bt.crowded:
            flush_cache(vm, hart, mem, bt)
            bt.version += 1
            continue
        word = _find_place(vm, hart, mem, bt)
        if vm.changes:  # the walk has set A in a page that is also code
            bt.at = -1
            continue
        if word >= 0 and not fenced and _fence_follows(vm, bt, word):
            _fence(vm, hart, mem, bt, word)
            fenced = True
            continue
        if word >= 0:
            bt.in_code = 1
            if bt.resumed and not bt.icount:
                mem.aside.retired -= not_counted(bt, word)
            bt.link, bt.hold = -1, 0
            hart.pc = address_of(bt, word)
            _put_state(vm, mem, bt)
            if bt.icount or bt.stepping:
                hart.root.budget = NEVER
            if bt.icount:
                hart.root.deadline = NEVER
            break
        if word != REFETCH:
            return -1 - word
    recontext(hart)
    return np.int64(Reason.RUN)


@njit
def _fence_follows(vm, bt, word):
    """Return whether satp was just written for the guest, and it goes on with `sfence.vma`.

    One instruction may always retire, so one fence may.  With counted instructions at least one
    more must be left behind it: else root must look.
    """
    if vm.vcpu.kind != Kind.SATP or bt.stepping or bt.limit - vm.vcpu.hart.clock.instret < 2:
        return False
    return bt.site[word] == Site.EMULATE and base_op(np.int64(bt.insn[word])) == Op.SFENCE_VMA


@njit
def _fence(vm, hart, mem, bt, word):
    """Do the guest's `sfence.vma` at `word` in the same exit: nothing of the guest runs before."""
    emulate_system(vm, hart, mem, np.int64(bt.insn[word]))
    hart.clock.instret = vm.vcpu.hart.clock.instret
    vm.vcpu.kind = np.int64(Kind.SATP)  # of the whole exit
    bt.at = word
    bt.count[Count.FENCED] += 1


@njit
def _stays(vm, hart, bt):
    """Whether the guest, with its instructions counted, continues after a look as if there was
    none.

    If its place were looked up again, it could be another: behind a callout, which then costs
    nothing.
    """
    word, limit = bt.at, bt.limit
    if not vm.vcpu.again or not bt.icount or not bt.in_code or vm.vcpu.hart.priv != Level.S:
        return False
    if word < 0 or bt.gpc[word] != vm.vcpu.hart.pc or vm.changes or vm.vcpu.hart.root.one_trap:
        return False
    _instructions_left(vm, hart, bt)
    return bt.limit == limit


@njit
def _go_on(vm, hart, mem, bt):
    """Make the hart ready to continue at the very word at which it was left."""
    status = np.int64(vm.vcpu.hart.csr.sstatus)
    hart.priv = vm.vcpu.hart.priv
    hart.csr.sstatus = status & (SUM | MXR)
    select_root(vm, hart, mem, np.int64(KERNEL_MXR if status & MXR else KERNEL))
    hart.pc = address_of(bt, bt.at)
    bt.left = bt.kept
    _put_state(vm, mem, bt)
    hart.root.budget = hart.root.deadline = NEVER
    recontext(hart)


REFETCH = -1 - 1000  # an answer of `_find_place`: the pc has changed


@njit
def _find_place(vm, hart, mem, bt):
    """The word of the cache at which to continue, REFETCH, or -1 - a reason."""
    virtual = vm.vcpu.hart
    gpc = np.int64(virtual.pc)
    bt.resumed = 0
    left, copies, known = _instructions_left(vm, hart, bt), np.int64(0), np.int64(-1)
    if not virtual.root.one_trap:
        word = _resume(bt, gpc, left, np.int64(hart.x[RA]))
        if word >= 0:
            bt.resumed = 0 if is_jump(bt, word) else 1  # which was left before it was executed
            return word
        known = find_unit(bt, gpc)
        copies = copy_wanted(bt, known, np.int64(hart.x[RA]))
        if known >= 0 and np.int64(bt.u_insns[known]) <= left and copies == 0:
            return _arrive(hart, mem, bt, known, left)
    leaf = walk_guest(vm, hart, mem, gpc, np.int64(FETCH), False)
    gpa = gpa_of(leaf, gpc)
    at = offset_of(vm, gpa) if leaf >= 0 else np.int64(-1)
    if at < 0:
        fault = page_fault(np.int64(FETCH)) if leaf == PAGE_FAULT else access_fault(np.int64(FETCH))
        reason = forward_exception(vm, hart, fault, gpc, np.int64(0))
        return np.int64(REFETCH) if reason == Reason.RUN else -1 - reason
    shadows = np.int64(vm.shadow.version)
    watch_table(vm, hart, mem)
    if left < UNIT_INSNS:
        return _step(vm, hart, mem, bt, gpc, at, left)
    bt.ra = return_address(bt, np.int64(hart.x[RA])) if copies else 0
    unit = _new_unit(vm, hart, mem, bt, gpa, shadows)
    if copies and known < unit:  # else the cache was flushed
        # The next copy is made of the block that `find_unit` finds
        holder = known if bt.u_ra[unit] else unit
        bt.u_fans[holder] |= Fans.SPLIT | np.int64(bt.u_fans[known]) & Fans.INLINES
        bt.u_fans[holder] = np.int64(bt.u_fans[holder]) & COPIED - 1 | copies * COPIED
        bt.count[Count.COPIES] += 1
    return _arrive(hart, mem, bt, unit, left)


@njit
def _new_unit(vm, hart, mem, bt, gpa, shadows):
    """Translate the block at the guest's pc, which lies at the guest's address `gpa`.

    `shadows` is the version of the shadow tables before the walk to it.
    """
    gpc, at = np.int64(vm.vcpu.hart.pc), offset_of(vm, gpa)
    root = vm.shadow.root
    verified = bt.verified[root] == bt.version + shadows
    insns = translate(bt, mem, gpc, at, np.int64(UNIT_INSNS))
    charge(hart, np.int64(Event.ROOT_TRANSLATE), insns)
    mem.work -= TRANSLATE * insns
    if full(bt):
        flush_cache(vm, hart, mem, bt)
        bt.link = -1
    fresh = bt.pages
    page = page_of(vm, hart, mem, bt, gpc & HIGH, gfn_of(vm, gpa))
    if fresh != bt.pages:  # other address spaces must look up this page, too
        bt.version += 1
        if verified:  # with the table watched here, unless another one was evicted for it
            bt.verified[root] = bt.version + shadows
            bt.space_seen[root] = bt.pages
    apart = Fans.APART if links(bt, gpc) and bt.insn[bt.link] >= CALL else 0
    follows = links(bt, gpc) and lay_out(hart, mem, bt, bt.link)
    unit = enter_unit(hart, mem, bt, gpc, insns, page, follows)
    bt.u_fans[unit] |= apart | (Fans.KEEPS if bt.keeps else 0)
    if follows:
        bt.link = -1
    return unit


@njit
def _instructions_left(vm, hart, bt):
    """How many instructions may retire before root must look, if they are counted."""
    clock = vm.vcpu.hart.clock
    left = np.int64(MOST_LEFT)
    if bt.icount:
        left = min(left, hart.root.deadline - clock.instret - clock.idle)
        left = min(left, hart.root.budget - clock.instret)
    if vm.vcpu.hart.root.one_trap:
        left = min(left, 1)
    bt.limit = clock.instret + left
    return left


@njit
def _arrive(hart, mem, bt, unit, left):
    """Go on at the start of a unit, and remember the way there."""
    if links(bt, np.int64(bt.u_gpc[unit])):
        chain(hart, mem, bt, bt.link, unit)
    bt.link = -1
    if bt.hold:
        hold_target(hart, mem, bt, unit)
    bt.left = left
    return np.int64(bt.u_first[unit])


@njit
def _resume(bt, gpc, left, ra):
    """Where the block that was left continues at guest pc `gpc` with `ra` in x1, or -1."""
    word = bt.at
    if word < 0 or not of_group(bt, word):
        return np.int64(-1)
    unit = np.int64(bt.unit[word])
    if not bt.u_alive[unit]:  # but its edges still lead where they did, as jumps or calls of root
        bt.left = left
        is_edge = bt.gpc[word] == gpc and not bt.inside[word] and bt.aside[word] & Aside.APART
        return word if is_edge else np.int64(-1)
    if not as_known(bt, word, ra):
        return np.int64(-1)
    if is_jump(bt, word) and jump_at(bt, word) == gpc:
        return word
    index, first = np.int64(bt.index[word]), np.int64(bt.u_first[unit])
    here = word if bt.gpc[word] == gpc and not bt.inside[word] else first
    while here < bt.used and bt.unit[here] == unit:
        if bt.gpc[here] == gpc and not bt.inside[here] and index <= bt.index[here] <= index + 1:
            ahead = np.int64(bt.u_insns[unit]) - np.int64(bt.index[here])
            if ahead > left:
                return np.int64(-1)
            bt.left = left if bt.icount and here == first else left - ahead
            return here
        here += 1
    return np.int64(-1)


@njit
def _step(vm, hart, mem, bt, gpc, at, left):
    """A block of one instruction, which returns to root: for what is left, and for stepping."""
    bt.stepping = 1
    bt.one, bt.ra = 1, 0
    translate(bt, mem, gpc, at, np.int64(1))
    bt.one = 0
    for n in range(bt.filled):
        if bt.b_site[n] == Site.EDGE:
            bt.b_site[n] = Site.STEPPED
    word = STEP_AT + bt.filled - bt.main
    place(hart, mem, bt, word, np.int64(STEP_AT), np.int64(-1))
    charge(hart, np.int64(Event.ROOT_TRANSLATE), 1)
    mem.work -= TRANSLATE
    bt.count[Count.STEPS] += 1
    bt.left = left - 1
    bt.link, bt.hold = -1, 0
    return word


@njit
def _put_state(vm, mem, bt):
    """Copy the virtual CSRs into the words of the window."""
    words = ram_words(mem)
    at = words_at(bt)
    csr = vm.vcpu.hart.csr
    status = np.int64(csr.sstatus)
    pending = pending_bits(vm.vcpu.hart)
    words[at + Slot.VIF] = status & SSTATUS_SIE
    words[at + Slot.SSTATUS] = status & ~SSTATUS_SIE
    words[at + Slot.SIE] = csr.sie
    words[at + Slot.SIP] = pending
    words[at + Slot.PENDING] = pending & np.int64(csr.sie)
    words[at + Slot.SSCRATCH] = csr.sscratch
    words[at + Slot.SEPC] = csr.sepc
    words[at + Slot.SCAUSE] = csr.scause
    words[at + Slot.STVAL] = csr.stval
    words[at + Slot.STVEC] = csr.stvec
    words[at + Slot.SCOUNTEREN] = csr.scounteren
    words[at + Slot.SATP] = csr.satp
    words[at + Slot.STIMECMP] = csr.stimecmp
    words[at + Slot.STIMECMPH] = csr.stimecmph
    words[at + Slot.OFFSET] = 0
    words[at + Slot.OFFSETH] = 0
    words[at + Slot.COUNT] = bt.left
