"""Answers for the types of frames: who may use a frame as what, with counts.

"Frames are typed {page table, writable} with a reference count" (Barham et al. 2003). Must
not know what a table contains.
"""

import numpy as np

from toyisa.compiled.njit import njit
from toyisa.core.tlb import flush
from vmm.domain.frametypes import LEAVES, MANY, NONE, NOWHERE, OPEN, ROOT, WRITABLE
from vmm.domain.host import frames, host_of


@njit
def owned(vm, mfn):
    """Whether a machine frame is the domain's."""
    if not 0 <= mfn < host_of(vm).count:
        return False
    frame = frames(vm)[mfn]
    return frame.owner == vm.number and frame.gfn >= 0


@njit
def is_table(vm, mfn):
    """Whether a frame of the domain is one of its page tables."""
    return frames(vm)[mfn].kind >= OPEN


@njit
def acquire_write(vm, mfn):
    """Another leaf maps the frame with W; False if the frame must not be written."""
    frame = frames(vm)[mfn]
    if frame.kind > WRITABLE:
        return False
    frame.kind = WRITABLE
    frame.uses += 1
    return True


@njit
def release_write(vm, mfn):
    """A leaf that mapped the frame with W is gone; the TLB may still hold it."""
    frame = frames(vm)[mfn]
    frame.written = host_of(vm).epoch + 1
    frame.uses -= 1
    if frame.uses == 0:
        frame.kind = NONE


@njit
def flush_all(vm, hart):
    """Flush the whole TLB: no leaf that is gone can be used any more."""
    host_of(vm).epoch += 1
    flush(hart, np.int64(-1), np.int64(-1))


@njit
def become(vm, hart, mfn, kind):
    """A frame that nothing uses becomes a table of this type, with one use.

    Xen's rule: if the TLB may hold a translation through which it can be written, flush.
    """
    frame = frames(vm)[mfn]
    if frame.written == host_of(vm).epoch + 1:
        vm.direct.flushes += 1
        flush_all(vm, hart)
    frame.kind = kind
    frame.uses = 1
    frame.place = NOWHERE


@njit
def decide(vm, mfn, kind):
    """Whether the table has this type; if its type was open, it has it from now on."""
    frame = frames(vm)[mfn]
    if frame.kind == OPEN:
        frame.kind = kind
        return True
    return frame.kind == kind


@njit
def stand_at(vm, mfn, index):
    """An entry of a root table at `index` points to the second-level table."""
    frame = frames(vm)[mfn]
    if frame.place == NOWHERE:
        frame.place = index
    elif frame.place != index:
        frame.place = MANY


@njit
def kind_of_level(level):
    """The type of a table for a level (hypercalls.Level); -1: there is no such level."""
    if level == 0:
        return np.int64(LEAVES)
    if level == 1:
        return np.int64(ROOT)
    return np.int64(OPEN if level == 2 else -1)
