"""Answers for the devices that root keeps in Python: their slots, and memory for them.

Must not know what a device does (`virtio.py`).  A hart's access to one comes as a
`memory.REQUEST`: here it is done, and the instruction retired in the hart's place.
"""

import numpy as np

from toyisa.cost import Event
from toyisa.decode import flush_pool
from toyisa.memory import PAGE, RAM_BASE, VIRTIO, VIRTIO_SLOTS
from toyisa.mmu import recontext
from toyisa.ops import Op
from toyisa.state import NO_TAG
from toyisa.virtio import LEGACY, MODERN, Backend, Device

_SIGNED = (Op.LB, Op.LH)


class Dma:
    """RAM as devices reach it, by physical address; IndexError outside RAM.

    A write keeps true what the core derives from RAM: decoded code, a reservation.
    """

    def __init__(self, hart: np.record, memory: np.record, ram: np.ndarray):
        self.hart, self.memory, self.ram = hart, memory, ram

    def check(self, pa: int, size: int) -> int:
        """The offset in RAM of `size` bytes at `pa`."""
        offset = pa - RAM_BASE
        if offset < 0 or offset + size > self.ram.size:
            raise IndexError(f"{pa:#x} is not in RAM")
        return offset

    def read(self, pa: int, size: int) -> bytes:
        at = self.check(pa, size)
        return self.ram[at : at + size].tobytes()

    def write(self, pa: int, data: bytes) -> None:
        at = self.check(pa, len(data))
        end = at + len(data)
        self.ram[at:end] = np.frombuffer(data, np.uint8)
        if self.memory.frame_flags[at // PAGE : -(-end // PAGE)].any():
            flush_pool(self.hart, self.memory)
            self.hart.fetch.tag = NO_TAG
        reserved = int(self.hart.resv.addr)
        if reserved >= 0 and pa < reserved + 4 and reserved < pa + len(data):
            self.hart.resv.addr = -1
            recontext(self.hart)


class Bus:
    """The virtio slots: slot n at `VIRTIO` + n pages drives PLIC source n + 1."""

    def __init__(self, dma: Dma):
        self.dma = dma
        self.devices: list[Device] = []

    def attach(self, backend: Backend, legacy: bool = False) -> None:
        """Put a device into the next slot; ValueError if all are taken."""
        if len(self.devices) == VIRTIO_SLOTS:
            raise ValueError(f"there are {VIRTIO_SLOTS} slots for devices, and no more")
        self.devices.append(Device(backend, LEGACY if legacy else MODERN, self.dma))

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots in use."""
        return tuple(range(len(self.devices)))

    def answer(self) -> None:
        """Do the access that the hart asks for, and retire its instruction."""
        hart, request = self.dma.hart, self.dma.memory.request
        slot, register = divmod(int(request.pa) - VIRTIO, PAGE)
        op, size = int(request.op), int(request.width)
        device = self.devices[slot] if slot < len(self.devices) else None
        if request.write:
            if device:
                device.store(register, size, int(request.value) & (1 << 8 * size) - 1)
        else:
            value = device.load(register, size) if device else 0  # an empty slot reads zero
            if op in _SIGNED and value >> (8 * size - 1):
                value |= 0xFFFF_FFFF << 8 * size & 0xFFFF_FFFF
            hart.x[request.rd] = value
            hart.x[32] = 0  # the sink, if rd is x0
        self._drive_lines()
        hart.pc = (int(hart.pc) + 4) & 0xFFFF_FFFF
        hart.clock.instret += 1
        hart.counts.op[op] += 1
        hart.counts.event[Event.MMIO] += 1
        hart.clock.cycles += int(hart.price.op[op]) + int(hart.price.event[Event.MMIO])

    def _drive_lines(self) -> None:
        plic = self.dma.memory.plic
        lines = int(plic.lines)
        for slot, device in enumerate(self.devices):
            bit = 1 << slot + 1
            lines = lines | bit if device.state.interrupt else lines & ~bit
        plic.lines = lines

