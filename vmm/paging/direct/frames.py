"""Answers for the kinds of frames: who may use one as what, counted.

"Frames are typed {page table, writable} with a reference count" (Barham et al. 2003).
Must not know what stands in a table.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.mmu import flush
from vmm.domain.frametypes import LEAVES, MANY, NONE, NOWHERE, OPEN, ROOT, WRITABLE


@njit
def owned(vm, mfn):
    """Whether a machine frame is the domain's."""
    return 0 <= mfn < vm.m2p.size and vm.m2p[mfn] >= 0


@njit
def is_table(vm, mfn):
    """Whether a frame of the domain's is one of its page tables."""
    return vm.direct.kind[mfn] >= OPEN


@njit
def acquire_write(vm, mfn):
    """One more leaf maps the frame with W; False if it must not be written."""
    direct = vm.direct
    if direct.kind[mfn] > WRITABLE:
        return False
    direct.kind[mfn] = WRITABLE
    direct.uses[mfn] += 1
    return True


@njit
def release_write(vm, mfn):
    """One leaf less maps the frame with W; the TLB may still know it."""
    direct = vm.direct
    direct.written[mfn] = direct.epoch + 1
    direct.uses[mfn] -= 1
    if direct.uses[mfn] == 0:
        direct.kind[mfn] = NONE


@njit
def flush_all(vm, hart):
    """Forget all translations: no leaf that is gone can be used any more."""
    vm.direct.epoch += 1
    flush(hart, np.int64(-1), np.int64(-1))


@njit
def become(vm, hart, mfn, kind):
    """A frame that nothing uses becomes a table of this kind, with one use.

    Xen's rule: if the TLB may hold a translation by which it can be written, flush.
    """
    direct = vm.direct
    if direct.written[mfn] == direct.epoch + 1:
        direct.flushes += 1
        flush_all(vm, hart)
    direct.kind[mfn] = kind
    direct.uses[mfn] = 1
    direct.place[mfn] = NOWHERE


@njit
def decide(vm, mfn, kind):
    """Whether the table is of this kind; one that has not said yet is, from now on."""
    if vm.direct.kind[mfn] == OPEN:
        vm.direct.kind[mfn] = kind
        return True
    return vm.direct.kind[mfn] == kind


@njit
def stand_at(vm, mfn, index):
    """A root entry at `index` points to the second-level table."""
    direct = vm.direct
    if direct.place[mfn] == NOWHERE:
        direct.place[mfn] = index
    elif direct.place[mfn] != index:
        direct.place[mfn] = MANY


@njit
def kind_of_level(level):
    """The kind of a table whose level (hypercalls.Level) was named; -1: no such level."""
    if level == 0:
        return np.int64(LEAVES)
    if level == 1:
        return np.int64(ROOT)
    return np.int64(OPEN if level == 2 else -1)
