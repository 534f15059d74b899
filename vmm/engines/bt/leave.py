"""Answers for leaving the guest: what a machine pc in the cache means for the guest.

If the guest was stopped within a sequence, it is brought to an instruction boundary.  Its
state is taken from the window into the virtual hart.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, njit
from toyisa.core.memory import ram_words
from toyisa.core.state import NEVER
from toyisa.tables.exits import Reason
from vmm.engines.bt.buckets import is_miss
from vmm.engines.bt.cache import is_jump, jump_at, not_counted, word_at, words_at
from vmm.engines.bt.indirect import is_plain
from vmm.engines.bt.record import Count, Site
from vmm.engines.bt.sequences import SEPC_ZERO, SIE_ALL, STVEC_ZERO, WRITABLE
from vmm.engines.bt.targets import jalr_of
from vmm.engines.bt.window import Slot
from vmm.engines.bt.words import WORD

T0, T1 = 5, 6
MISSED = -2  # bt.at after an indirect jump that its bucket did not hold


@njit
def leave(vm, hart, mem, bt, reason):
    """Bring the guest's state into `vm.vcpu.hart`; return the reason, which settling may change."""
    bt.at = -1
    if not bt.in_code:
        vm.vcpu.hart.pc = hart.pc
        return reason
    if reason != Reason.TRAP:
        reason = _settle(hart, mem, bt, reason)
    take_state(vm, mem, bt)
    words = ram_words(mem)
    slots = words_at(bt)
    ahead = np.int64(0)  # instructions counted that have not retired
    word = word_at(bt, np.int64(hart.pc))
    missed = is_miss(bt, np.int64(hart.pc)) or (word >= 0 and bt.site[word] == Site.MISS)
    if reason == Reason.TRAP and missed:
        vm.vcpu.hart.pc = words[slots + Slot.TARGET]
        hart.x[T0], hart.x[T1] = words[slots + Slot.SPILL0], words[slots + Slot.SPILL1]
        bt.at = MISSED
    else:
        if word < 0:
            return np.int64(Reason.STUCK)  # it never was anywhere else
        bt.at = word
        vm.vcpu.hart.pc = bt.gpc[word]
        if reason != Reason.TRAP and is_jump(bt, word):
            vm.vcpu.hart.pc = jump_at(bt, word)  # before it: a budget ends there
        elif not bt.icount:
            mem.aside.retired += not_counted(bt, word)
        unit = np.int64(bt.unit[word])
        if reason == Reason.TRAP and bt.site[word] == Site.COUNTDOWN:
            hart.x[T0] = words[slots + Slot.SPILL0]
        else:
            if reason == Reason.TRAP and bt.site[word] >= Site.PREDICT:
                hart.x[T0] = words[slots + Slot.SPILL0]
                if not is_plain(jalr_of(bt, word)):
                    hart.x[T1] = words[slots + Slot.SPILL1]
            ahead = (np.int64(bt.u_insns[unit]) if unit >= 0 else 1) - np.int64(bt.index[word])
            if bt.icount and unit >= 0 and word == np.int64(bt.u_first[unit]):
                ahead = np.int64(0)
    if bt.icount:
        count = (np.int64(words[slots + Slot.COUNT]) ^ 0x80000000) - 0x80000000
        bt.kept = count
        hart.clock.instret = bt.limit - count - ahead
    return reason


@njit
def _settle(hart, mem, bt, reason):
    """Go on to the next boundary between guest instructions, one machine instruction at a time."""
    work, mem.work, mem.look = np.int64(mem.work), NEVER, NEVER  # a sequence is short
    while True:
        word = word_at(bt, np.int64(hart.pc))
        if word >= 0 and not bt.inside[word]:
            break
        bt.count[Count.SETTLED] += 1
        hart.root.deadline = hart.root.spend = NEVER  # the loop asks again
        hart.root.budget = hart.clock.instret + 1
        answer = call_unit(mem.execute, hart, mem, 0, 0, 0)
        if answer != Reason.BUDGET:
            reason = answer
            break
    mem.work += work - NEVER
    return reason


@njit
def take_state(vm, mem, bt):
    """Copy the words of the window, which the guest may have set to anything, into the virtual
    CSRs.
    """
    words = ram_words(mem)
    at = words_at(bt)
    csr = vm.vcpu.hart.csr
    status = np.int64(words[at + Slot.SSTATUS]) | np.int64(words[at + Slot.VIF])
    csr.sstatus = status & WRITABLE
    csr.sie = np.int64(words[at + Slot.SIE]) & SIE_ALL
    csr.sscratch = words[at + Slot.SSCRATCH]
    csr.sepc = np.int64(words[at + Slot.SEPC]) & ~SEPC_ZERO & WORD
    csr.scause = words[at + Slot.SCAUSE]
    csr.stval = words[at + Slot.STVAL]
    csr.stvec = np.int64(words[at + Slot.STVEC]) & ~STVEC_ZERO & WORD
