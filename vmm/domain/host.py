"""Answers for what the monitor keeps of the machine: its frames by number.

Frames belong to domains by number.  Must not know what a domain is.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.decodepool import invalidate_range
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE, sparse
from toyisa.core.state import ADDRESS, new_hart, record
from toyisa.tables.requests import Writer
from vmm.domain.asids import ASIDS

# A machine frame, as the monitor sees it; `frametypes.py` says what its kind means.
FRAME = record(
    ("owner", "i4"),    # the number of the domain that has it, from 1 on, or 0: it is free
    ("gfn", "i4"),      # the guest frame that it backs, or -1: the monitor's
    ("kind", "u1"), ("pinned", "u1"),
    ("uses", "i4"),
    ("place", "i4"),    # for LEAVES: the index in root tables at which it stands, or NOWHERE, MANY
    ("head", "i4"),     # the place plus 1 of the first shadow entry that points to it; 0: none
    ("written", "i8"),  # 1 + the epoch in which it last lost a leaf with W
)  # fmt: skip

# There is one for each hart: what the last two fields say depends on its TLB.
HOST = record(
    ("frames", ADDRESS), ("count", "i8"),  # a FRAME for each frame of the machine
    ("epoch", "i8"),                       # counts flushes of everything
    ("asids", ASIDS),                      # which spaces of its guests have them
)  # fmt: skip


class Platform(Hardware):
    """The hardware under the monitor, which keeps `frames` (FRAME) of it, and of each hart a
    HOST: `harts` are pairs of both.  `hart` and `record` are those in use.
    """

    def __init__(self, ram_size: int, harts: int = 1):
        super().__init__(ram_size)
        self.frames = sparse(ram_size // PAGE, FRAME)
        self.frames["gfn"] = -1
        self.records = np.zeros(harts, HOST)
        self.records["frames"], self.records["count"] = self.frames.ctypes.data, len(self.frames)
        self.harts = [self.hart, *(new_hart() for _ in range(harts - 1))]
        self.record = self.records[:1]

    @property
    def next_number(self) -> int:
        """A number that no domain has."""
        return 1 + int(self.frames["owner"].max())

    def take_frames(self, count: int, owner: int) -> int:
        """Give `count` free frames in one piece to a domain; return the first; NoRoom."""
        owned = self.frames["owner"]
        taken = np.flatnonzero(owned)
        edges = np.concatenate(([-1], taken, [len(owned)]))
        gaps = np.flatnonzero(np.diff(edges) > count)
        if not gaps.size:
            free = len(owned) - taken.size
            raise NoRoom(f"it needs {count} frames in one piece; {free} are free")
        first = int(edges[gaps[0]]) + 1
        owned[first : first + count] = owner
        return first

    def give_back_frames(self, owner: int) -> int:
        """The domain's frames are free again, and empty; return how many there were."""
        mine = np.flatnonzero(self.frames["owner"] == owner)
        for first, last in _pieces(mine):
            self.ram[first * PAGE : (last + 1) * PAGE] = 0
            invalidate_range(
                self.hart, self.memory, first * PAGE, (last + 1 - first) * PAGE, Writer.HOST
            )
            self.frames[first : last + 1] = np.zeros(1, FRAME)
            self.frames["gfn"][first : last + 1] = -1
        return mine.size


class NoRoom(ValueError):
    """The machine has not so many free frames."""


def _pieces(numbers: np.ndarray) -> list[tuple[int, int]]:
    """The first and the last of each piece without gaps of ascending numbers."""
    if not numbers.size:
        return []
    gaps = np.flatnonzero(np.diff(numbers) > 1)
    firsts, lasts = np.append(0, gaps + 1), np.append(gaps, numbers.size - 1)
    return [(int(numbers[a]), int(numbers[b])) for a, b in zip(firsts, lasts, strict=True)]


@njit
def host_of(vm):
    """The machine on which a guest is."""
    return view(vm.host, 1, HOST)[0]


@njit
def frames(vm):
    """What is known of the frames of the guest's machine, by number."""
    host = host_of(vm)
    return view(host.frames, host.count, FRAME)
