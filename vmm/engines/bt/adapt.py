"""Answers for adaptation: instructions that keep trapping become callouts, and back.

A store to a traced page, or an access to a device, first costs a fault, a decode and a walk
by the machine.  After a few of them the translation calls root directly.  A callout that has
accessed plain memory for a while becomes the guest's own instruction again.
"""

import numpy as np

from toyisa.compiled.njit import njit
from vmm.domain.exits import Kind
from vmm.engines.bt.cache import patch
from vmm.engines.bt.record import Count, Site
from vmm.engines.bt.words import ECALL, rs1_of

TRAPS = 4    # so many traps of one instruction make it a callout
QUIET = 8   # so many of its callouts in a row that were not needed turn it back


@njit
def adapt(hart, mem, bt, insn):
    """The copied instruction at `bt.at` has trapped for something that the monitor keeps from
    it.
    """
    word = bt.at
    if not bt.adapts or bt.unit[word] < 0:
        return
    bt.faults[word] += 1
    if bt.faults[word] >= TRAPS:
        bt.faults[word] = 0
        bt.insn[word] = insn
        bt.site[word] = Site.ACCESS
        patch(hart, mem, bt, word, np.int64(ECALL))
        bt.count[Count.ADAPTED] += 1


@njit
def may_revert(vm, hart, mem, bt, word, insn):
    """The callout at `word` was needed, or was not; one with x0 as its base always stays."""
    if rs1_of(insn) == 0 or bt.unit[word] < 0:
        return
    if vm.vcpu.kind != Kind.CALLOUT:
        bt.faults[word] = 0
        return
    bt.faults[word] += 1
    if bt.faults[word] >= QUIET:
        bt.faults[word] = 0
        bt.site[word] = Site.PLAIN
        patch(hart, mem, bt, word, insn)
        bt.count[Count.REVERTED] += 1
