"""Answers for the tables with which a domain starts, as Xen's domain builder made them.

They are in frames of the domain's own RAM below `top`: a root table, and as many tables as
map all RAM, each guest-physical address to itself, by 4 KiB pages, with the tables read-only.
Nothing pins them: they live as long as they are in use.  They are made before the guest runs,
and cost it no cycles.
"""

import numpy as np

from toyisa.compiled.njit import entry
from toyisa.core.memory import RAM_BASE, WORDS, ram_words
from toyisa.core.sv32 import A, D, R, V, W, X
from toyisa.core.tlb import PAGED
from vmm.abi.hypercalls import REGION
from vmm.domain.frametypes import IDLE, LEAVES, NONE, ROOT, WRITABLE
from vmm.domain.host import frames
from vmm.domain.record import pages
from vmm.paging.direct.validate import BASE_PPN, region_entry


def tables_of(frames: int) -> int:
    """How many frames the tables of a domain take."""
    return 1 + -(-frames // WORDS)


@entry
def build_tables(vm, mem, top):
    """Build the tables in the guest frames below `top`, and make them the current ones."""
    direct, words = vm.direct, ram_words(mem)
    count = (vm.frames + WORDS - 1) // WORDS
    first = top - 1 - count  # first the second-level tables, then the root table
    for frame in frames(vm):
        if frame.owner == vm.number:
            frame.kind, frame.uses, frame.pinned, frame.written = NONE, 0, 0, 0
    for gfn in range(vm.frames):
        mfn = np.int64(pages(vm)[gfn].mfn)
        frame, flags = frames(vm)[mfn], V | R | X | A | D
        frame.uses = 1
        if first <= gfn < top:
            frame.kind = LEAVES
            frame.place = (RAM_BASE >> 22) + gfn - first
        else:
            flags |= W
            frame.kind = WRITABLE
        table = np.int64(pages(vm)[first + gfn // WORDS].mfn)
        words[table * WORDS + gfn % WORDS] = (BASE_PPN + mfn) << 10 | flags
    for n in range(vm.frames, count * WORDS):
        words[np.int64(pages(vm)[first + count - 1].mfn) * WORDS + n % WORDS] = 0
    root = np.int64(pages(vm)[top - 1].mfn)
    frames(vm)[root].kind = ROOT
    words[root * WORDS : (root + 1) * WORDS] = 0
    for n in range(count):
        table = np.int64(pages(vm)[first + n].mfn)
        words[root * WORDS + (RAM_BASE >> 22) + n] = (BASE_PPN + table) << 10 | V
    words[root * WORDS + REGION] = region_entry(vm)
    direct.root, direct.active, direct.stage = root, 1, IDLE
    vm.vcpu.hart.csr.satp = PAGED | (BASE_PPN + top - 1)
    return np.int64(0)
