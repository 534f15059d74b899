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


class NoRoom(ValueError):
    """The machine has not so many free frames."""


class Allocator:
    """Which frames of a machine are free; those that are not have an owner."""

    def __init__(self, platform: "Platform"):
        self._platform = platform
        self._free = [(0, len(platform.frames))]  # pieces: their first frames and sizes
        self._number = 0

    @property
    def free(self) -> int:
        """How many frames are free."""
        return sum(size for _, size in self._free)

    @property
    def next_number(self) -> int:
        """The number that the next domain gets."""
        return self._number + 1

    def take(self, count: int) -> tuple[int, int]:
        """Give `count` free frames in one piece to a new domain: its number, the first; NoRoom."""
        for n, (first, size) in enumerate(self._free):
            if size >= count:
                self._free[n : n + 1] = [(first + count, size - count)] if size > count else []
                break
        else:
            raise NoRoom(f"it needs {count} frames in one piece; {self.free} are free")
        self._number += 1
        self._platform.frames["owner"][first : first + count] = self._number
        return self._number, first

    def give_back(self, owner: int) -> int:
        """The domain's frames are free again, and empty; return how many there were."""
        it = self._platform
        mine = np.flatnonzero(it.frames["owner"] == owner)
        for piece in np.split(mine, np.flatnonzero(np.diff(mine) > 1) + 1) if mine.size else ():
            first, size = int(piece[0]), piece.size
            it.ram[first * PAGE : (first + size) * PAGE] = 0
            invalidate_range(it.hart, it.memory, first * PAGE, size * PAGE, Writer.HOST)
            it.frames[first : first + size] = np.zeros(1, FRAME)
            it.frames["gfn"][first : first + size] = -1
            self._free.append((first, size))
        joined: list[tuple[int, int]] = []
        for first, size in sorted(self._free):
            if joined and sum(joined[-1]) == first:
                first, size = joined[-1][0], joined.pop()[1] + size
            joined.append((first, size))
        self._free = joined
        return mine.size


class Platform(Hardware):
    """The hardware under the monitor, which keeps `frames` (FRAME) of it, and of each hart a
    HOST: `harts` are pairs of both.  `hart` and `record` are those in use.
    """

    def __init__(self, ram_size: int, harts: int = 1, large: bool | None = None):
        super().__init__(ram_size, large)
        self.frames = sparse(ram_size // PAGE, FRAME)
        self.frames["gfn"] = -1
        self.records = np.zeros(harts, HOST)
        self.records["frames"], self.records["count"] = self.frames.ctypes.data, len(self.frames)
        self.harts = [self.hart, *(new_hart() for _ in range(harts - 1))]
        self.record = self.records[:1]
        self.allocator = Allocator(self)


@njit
def host_of(vm):
    """The machine on which a guest is."""
    return view(vm.host, 1, HOST)[0]


@njit
def frames(vm):
    """What is known of the frames of the guest's machine, by number."""
    host = host_of(vm)
    return view(host.frames, host.count, FRAME)
