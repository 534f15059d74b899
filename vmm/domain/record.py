"""Answers for what the monitor keeps of one virtual machine: the record DOMAIN.

A domain has one virtual processor (`vcpu.py`), and the devices around it are a memory record
of the machine's own type.  To emulate an instruction, the monitor lets the machine's own slow
path execute it on both.  What outlives all domains is the machine's: `host.py`.

Address kinds: gva guest-virtual, gpa guest-physical, hpa machine.  Frames: gfn counts from
the guest's RAM base, mfn from the machine's.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.memory import MEMORY, sparse
from toyisa.core.state import ADDRESS, NEVER, record
from toyisa.tables.causes import CODES
from vmm.domain.exits import Kind
from vmm.domain.frametypes import DIRECT
from vmm.domain.vcpu import VCPU

VIEWS = 3         # of the guest's tables: see shadow/fill.py
MAX_SHADOW = 511  # shadow frames; each may be a root table: as many as there are ASIDs
ENTRIES = 1024
LOG_SIZE = 1 << 15  # twice what is logged before root's caller takes it
CHANGES = 64

# A shadow frame's role.
FREE, ROOT, TABLE, SPLIT = range(4)

# A frame of the guest's RAM.
GUEST_PAGE = record(
    ("mfn", "i4"),               # the machine frame behind it, or -1: none
    ("code", "u1"),              # code was translated from it
    ("shadows", "i1"),           # how many shadow frames stand for it
    ("as_root", "i4", VIEWS), ("as_table", "i4", VIEWS),  # those, plus 1, or 0
)  # fmt: skip

# Links chain every valid entry to the others that point to the same machine frame.  A place is
# shadow frame * 1024 + index; `head`, `next` and `prev` hold it plus 1.
LINK = record(("next", "i4"), ("prev", "i4"))
SHADOW = record(
    ("start", "i8"), ("frames", "i8"),  # the first machine frame of the pool, and how many
    ("root", "i8"),                    # the shadow frame to which real satp points
    ("hand", "i8"),                    # where the search for a frame continues
    ("version", "i8"),                 # counts tables whose changes will not be noticed any more
    ("region", "i8"),                  # the mfn of the table of the monitor's window, or 0: none
    ("slot", "i8"),                    # and its entry in root tables
    ("stale", "i8"),                   # real TLB entries may outlive their shadow entries
    ("role", "u1", MAX_SHADOW), ("aspect", "u1", MAX_SHADOW),
    ("key", "i8", MAX_SHADOW),         # for a ROOT or TABLE the gfn, for a SPLIT the guest's PTE
    ("space", "i8", MAX_SHADOW),       # for a ROOT the tag of its ASID: asids.py
    ("unused", "i8", MAX_SHADOW),      # traced stores while no current root table led here
    ("special", "i4", (VIEWS, 3)),     # root tables that are not the guest's: plus 1, or 0
    ("links", ADDRESS),                # a LINK for each entry of each shadow frame
)  # fmt: skip

# One line of the log: an exit, or if `kind` says so an exits.ShadowEvent.
LOG = record(
    ("at", "i8"), ("spent", "i8"),      # cycles when the guest left, and cycles that root spent
    ("idle", "i8"),                     # virtual time that wfi skipped up to the end of the exit
    ("kind", "u4"), ("pc", "u4"),
    ("cause", "u4"), ("tval", "u4"),    # as the real hart reported them, if it trapped
)  # fmt: skip

STATS = record(
    ("count", "i8", len(Kind)), ("cycles", "i8", len(Kind)),  # cycles that root spent
    ("least", "i8", len(Kind)), ("most", "i8", len(Kind)),
    ("fills", "i8"), ("eager", "i8"),        # shadow entries made on a fault, and on a traced store
    ("evicted", "i8"), ("unshadowed", "i8"), ("injected", "i8"),
    ("seen", "u1", (len(Kind), CODES)),      # kinds of exit that came, by the hart's cause
    ("log", ADDRESS), ("logged", "i8"),      # LOG_SIZE lines or none, and how many there were
)  # fmt: skip

DOMAIN = record(
    ("vcpu", VCPU), ("platform", MEMORY),
    ("host", ADDRESS),                 # of the machine that it is on: host.HOST
    ("number", "i8"),                  # by which that machine knows it: the owner of its frames
    ("engine", ADDRESS),               # of the engine's unit
    ("private", ADDRESS),              # of a record that only the engine knows
    ("own", "i8"),                     # the first machine frame that is the engine's
    ("traits", "i8"),                  # of the engine: requests.Trait
    ("pages", ADDRESS), ("frames", "i8"),  # a GUEST_PAGE for each frame of the guest's RAM
    ("changed", "i8", CHANGES), ("changes", "i8"),  # what translated code depends on
    ("tohost", "i8"),                  # the gfn of the frame with HTIF's word, or -1
    ("shadow", SHADOW), ("direct", DIRECT), ("stats", STATS),
)  # fmt: skip


def new_vm() -> np.record:
    """A virtual machine without RAM, on no machine yet."""
    vm = sparse(1, DOMAIN)[0]
    vm.direct.root = -1
    vm.tohost = -1
    vm.shadow.root = vm.vcpu.retired = -1
    vm.stats.least[:] = NEVER
    return vm


@njit
def pages(vm):
    """What is known of the frames of the guest's RAM, by number."""
    return view(vm.pages, vm.frames, GUEST_PAGE)


@njit
def links(vm):
    """What chains shadow entries, by place."""
    return view(vm.shadow.links, vm.shadow.frames * ENTRIES, LINK)
