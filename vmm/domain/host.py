"""Answers for what the monitor keeps of the machine: its frames by number.

There is one record for a machine, however many guests it has.  Must not know what a guest is.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE, sparse
from toyisa.core.state import ADDRESS, record
from vmm.domain.asids import ASIDS

# A machine frame, as the monitor sees it; `frametypes.py` says what its kind means.
FRAME = record(
    ("gfn", "i4"),      # the guest frame that it backs, or -1: the monitor's
    ("kind", "u1"), ("pinned", "u1"),
    ("uses", "i4"),
    ("place", "i4"),    # for LEAVES: the index in root tables at which it stands, or NOWHERE, MANY
    ("head", "i4"),     # the place plus 1 of the first shadow entry that points to it; 0: none
    ("written", "i8"),  # 1 + the epoch in which it last lost a leaf with W
)  # fmt: skip

HOST = record(
    ("frames", ADDRESS), ("count", "i8"),  # a FRAME for each frame of the machine
    ("epoch", "i8"),                       # counts flushes of everything
    ("asids", ASIDS),                      # which spaces of its guests have them
)  # fmt: skip


class Host(Hardware):
    """The hardware under the monitor, which keeps `record` (HOST) and `frames` (FRAME) of it."""

    def __init__(self, ram_size: int):
        super().__init__(ram_size)
        self.frames = sparse(ram_size // PAGE, FRAME)
        self.frames["gfn"] = -1
        self.record = np.zeros(1, HOST)
        self.record["frames"], self.record["count"] = self.frames.ctypes.data, len(self.frames)


@njit
def host_of(vm):
    """The machine on which a guest is."""
    return view(vm.host, 1, HOST)[0]


@njit
def frames(vm):
    """What is known of the frames of the guest's machine, by number."""
    host = host_of(vm)
    return view(host.frames, host.count, FRAME)
