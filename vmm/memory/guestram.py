"""Answers for a guest's RAM as devices and people access it: by guest-physical address.

A write keeps up to date what the machine and the monitor derive from RAM: decoded code, a
reservation, shadow tables.  Must not know who writes.
"""

from collections.abc import Iterator

import numpy as np

from toyisa.core.decodepool import invalidate_range
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.tlb import recontext
from toyisa.devices.bus import Dma
from toyisa.tables.requests import Writer
from vmm.domain.exits import Kind
from vmm.domain.frametypes import OPEN
from vmm.domain.host import Platform
from vmm.domain.record import CHANGES
from vmm.paging.shadow.frames import forget_shadows


class GuestDma(Dma):
    """The RAM of the virtual machine `vm`, whose frames lie anywhere in the machine's RAM."""

    def __init__(self, host: Platform, vm: np.record, pages: np.ndarray):
        super().__init__(vm.vcpu.hart, vm.platform, host.ram)
        self.host, self.vm, self.pages = host, vm, pages

    def check(self, pa: int, size: int) -> int:
        """The offset in guest RAM of `size` bytes at `pa`; IndexError."""
        offset = pa - RAM_BASE
        if not 0 <= offset <= int(self.vm.frames) * PAGE - size:
            raise IndexError(f"{pa:#x} is not in the guest's RAM")
        return offset

    def read(self, pa: int, size: int) -> bytes:
        pieces = (self.ram[at : at + n] for _, at, n in self._pieces(pa, size))
        return b"".join(piece.tobytes() for piece in pieces)

    def write(self, pa: int, data: bytes, writer: Writer = Writer.DEVICE) -> None:
        done, tables = 0, False
        self._refuse_tables(pa, len(data))
        for gfn, at, n in self._pieces(pa, len(data)):
            self.ram[at : at + n] = np.frombuffer(data, np.uint8, n, done)
            self._unreserve(at, n)
            invalidate_range(self.host.hart, self.host.memory, at, n, writer)
            page = self.pages[gfn]
            if page["code"]:
                # More than the list can hold: everything may have changed
                self.vm.changes = CHANGES + 1
            tables |= bool(page["shadows"])
            done += n
        if tables:
            self._forget()

    def _forget(self) -> None:
        """The tables have changed: root pays for forgetting shadows, and no exit does."""
        before = int(self.host.hart.clock.cycles)
        forget_shadows(self.host.hart, self.host.memory, self.vm)
        spent = int(self.host.hart.clock.cycles) - before
        self.vm.stats.cycles[Kind.OTHER] += spent
        self.hart.clock.cycles += spent

    def _refuse_tables(self, pa: int, size: int) -> None:
        """IndexError if a part of it is a page table of a guest on tables of its own.

        A device writes where the guest says, and nobody would check the entries.
        """
        direct = self.vm.direct
        if not direct.active or not size:
            return
        for _, at, _ in self._pieces(pa, size):
            if self.host.frames["kind"][at // PAGE] >= OPEN:
                raise IndexError(f"{pa:#x} is in a page table")

    def _pieces(self, pa: int, size: int) -> Iterator[tuple[int, int, int]]:
        """The guest frame, the machine's RAM offset and the length of each part within a page."""
        offset = self.check(pa, size)
        end = offset + size
        while offset < end:
            gfn, inside = divmod(offset, PAGE)
            n = min(PAGE - inside, end - offset)
            yield gfn, int(self.pages["mfn"][gfn]) * PAGE + inside, n
            offset += n

    def _unreserve(self, at: int, size: int) -> None:
        reserved = int(self.host.hart.resv.addr) - RAM_BASE
        if at - 4 < reserved < at + size:
            self.host.hart.resv.addr = -1
            recontext(self.host.hart)
