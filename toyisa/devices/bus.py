"""Answers for the devices that root keeps in Python: their places, and memory for them.

Must not know what a device does (`virtio.py`, `plic.py`).  When a hart accesses one, it makes
a `memory.REQUEST`.  The access is done here, and the instruction is retired for the hart.
"""

from collections.abc import Iterator

import numpy as np

from toyisa.core import plic
from toyisa.core.decodepool import invalidate_range
from toyisa.core.memory import PAGE, PLIC_BASE, RAM_BASE, VIRTIO, VIRTIO_SLOTS
from toyisa.core.tlb import recontext
from toyisa.core.work import RUN
from toyisa.devices import htif
from toyisa.devices.virtio import LEGACY, MODERN, Backend, Device
from toyisa.tables.cost import Event
from toyisa.tables.ops import Op
from toyisa.tables.requests import Writer

_SIGNED = (Op.LB, Op.LH)


class Dma:
    """RAM as devices access it, by physical address; IndexError outside RAM.

    A write keeps up to date what the core derives from RAM: decoded code, a reservation.
    """

    def __init__(self, hart: np.record, memory: np.record, ram: np.ndarray):
        self.hart, self.memory, self.ram = hart, memory, ram

    def check(self, pa: int, size: int) -> int:
        """The offset in RAM of `size` bytes at `pa`."""
        offset = pa - RAM_BASE
        if not 0 <= offset <= self.ram.size - size:
            raise IndexError(f"{pa:#x} is not in RAM")
        return offset

    def read(self, pa: int, size: int) -> bytes:
        at = self.check(pa, size)
        return self.ram[at : at + size].tobytes()

    def write(self, pa: int, data: bytes, writer: Writer = Writer.DEVICE) -> None:
        at = self.check(pa, len(data))
        self.ram[at : at + len(data)] = np.frombuffer(data, np.uint8)
        invalidate_range(self.hart, self.memory, at, len(data), writer)
        reserved = int(self.hart.resv.addr)
        if reserved >= 0 and pa < reserved + 4 and reserved < pa + len(data):
            self.hart.resv.addr = -1
            recontext(self.hart)


class Bus:
    """The PLIC and the virtio slots: slot n at `VIRTIO` + n pages drives source n + 1."""

    def __init__(self, dma: Dma):
        self.dma = dma
        self.devices: list[Device] = []  # in the order in which they were attached
        self._at: dict[int, Device] = {}  # by slot
        self._access: Iterator[int] | None = None  # the access that `answer` is doing

    def attach(self, backend: Backend, legacy: bool = False, slot: int | None = None) -> None:
        """Put a device into a slot, or the next free one; ValueError if there is none."""
        free = [n for n in range(VIRTIO_SLOTS) if n not in self._at]
        if not free:
            raise ValueError(f"there are {VIRTIO_SLOTS} slots for devices, and no more")
        if slot is None:
            last = self.devices[-1].slot if self.devices else -1
            slot = next((n for n in free if n > last), free[0])
        if not 0 <= slot < VIRTIO_SLOTS:
            raise ValueError(f"there is no slot {slot}: slots are 0 to {VIRTIO_SLOTS - 1}")
        if slot in self._at:
            raise ValueError(f"slot {slot} has a device already")
        device = Device(backend, LEGACY if legacy else MODERN, self.dma, slot)
        self.devices.append(device)
        self._at[slot] = device

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots in use."""
        return tuple(sorted(self._at))

    @property
    def busy(self) -> bool:
        """Whether an access has begun and is not done: `answer` continues it."""
        return self._access is not None

    def answer(self) -> bool:
        """Do the access that the hart asks for, and retire its instruction; or obey `tohost`.

        Returns False if the access takes more work than is left: then call again, with more.
        Meanwhile the hart stays at the instruction, and no time passes for it.
        """
        self._access = self._access or self._steps()
        memory = self.dma.memory
        try:
            for units in self._access:
                memory.work -= units
                if memory.work <= 0:
                    return False
        except BaseException:
            self._access = None
            raise
        self._access = None
        return True

    def finish(self) -> None:
        """Do the rest of an access, before a machine is saved or examined."""
        if self.busy:
            for _ in self._access:
                pass
            self._access = None

    def forget(self) -> None:
        """Another guest is loaded: do not finish what this one asked for."""
        self._access = None

    def _steps(self) -> Iterator[int]:
        """Do the access piece by piece; yield the work of each piece, in units of work."""
        hart, request = self.dma.hart, self.dma.memory.request
        if request.pa < 0:
            htif.obey(self.dma, hart.clock, self.dma.memory.console)
            return
        at = int(hart.pc)
        pa, op, size = int(request.pa), int(request.op), int(request.width)
        mask = (1 << 8 * size) - 1
        if request.write:
            yield from self._store(pa, size, int(request.value) & mask)
        else:
            value = self._load(pa, size) & mask
            if op in _SIGNED and value >> (8 * size - 1):
                value |= 0xFFFF_FFFF << 8 * size & 0xFFFF_FFFF
            hart.x[request.rd] = value
            hart.x[32] = 0  # the sink, if rd is x0
        yield RUN
        self.drive_lines()
        if int(hart.pc) != at:
            return  # a debugger has moved the hart meanwhile
        hart.pc = (at + 4) & 0xFFFF_FFFF
        hart.clock.instret += 1
        hart.counts.op[op] += 1
        hart.counts.event[Event.MMIO] += 1
        hart.clock.cycles += int(hart.price.op[op]) + int(hart.price.event[Event.MMIO])

    def _load(self, pa: int, size: int) -> int:
        if pa < VIRTIO:
            return plic.load(self.dma.memory.plic, pa - PLIC_BASE)
        slot, register = divmod(pa - VIRTIO, PAGE)
        if slot not in self._at:
            return 0
        return self._at[slot].load(register, size)

    def _store(self, pa: int, size: int, value: int) -> Iterator[int]:
        if pa < VIRTIO:
            plic.store(self.dma.memory.plic, pa - PLIC_BASE, value)
            return
        slot, register = divmod(pa - VIRTIO, PAGE)
        if slot in self._at:
            yield from self._at[slot].storing(register, size, value)

    def drive_lines(self) -> None:
        """Tell the PLIC which devices interrupt."""
        lines = int(self.dma.memory.plic.lines)
        for device in self.devices:
            bit = 1 << device.slot + 1
            lines = lines | bit if device.state.interrupt else lines & ~bit
        self.dma.memory.plic.lines = lines

