"""Answers for the registers of a virtio-mmio device, legacy and modern.

Source: virtio 1.2, 4.2 (MMIO), the legacy interface in 4.2.4.  Must not know what
the device does with a request (a `Backend`), nor how the guest's memory is kept.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from toyisa.core.work import DESCRIPTOR
from toyisa.devices.virtqueue import QUEUE_MAX, BadRing, Chain, Queue, Ram

MAGIC = 0x74726976  # "virt"
VENDOR = 0x554D4551  # "QEMU": teaching kernels look for it
LEGACY, MODERN = 1, 2
VERSION_1 = 1 << 32  # the feature that a modern driver must accept

CONFIG = 0x100  # the device's own registers begin here


class Reg(IntEnum):
    """The registers; L: in the legacy layout only, M: in the modern one only."""

    MAGIC_VALUE = 0x00
    VERSION = 0x04
    DEVICE_ID = 0x08
    VENDOR_ID = 0x0C
    DEVICE_FEATURES = 0x10
    DEVICE_FEATURES_SEL = 0x14
    DRIVER_FEATURES = 0x20
    DRIVER_FEATURES_SEL = 0x24
    GUEST_PAGE_SIZE = 0x28  # legacy only
    QUEUE_SEL = 0x30
    QUEUE_NUM_MAX = 0x34
    QUEUE_NUM = 0x38
    QUEUE_ALIGN = 0x3C      # legacy only
    QUEUE_PFN = 0x40        # legacy only
    QUEUE_READY = 0x44      # modern only
    QUEUE_NOTIFY = 0x50
    INTERRUPT_STATUS = 0x60
    INTERRUPT_ACK = 0x64
    STATUS = 0x70
    # Modern only, like the next two: the address of a part, low word, then high word
    QUEUE_DESC = 0x80
    QUEUE_DRIVER = 0x90
    QUEUE_DEVICE = 0xA0


_PARTS = {
    Reg.QUEUE_DESC: ("descriptors", 0), Reg.QUEUE_DESC + 4: ("descriptors", 32),
    Reg.QUEUE_DRIVER: ("available", 0), Reg.QUEUE_DRIVER + 4: ("available", 32),
    Reg.QUEUE_DEVICE: ("used", 0), Reg.QUEUE_DEVICE + 4: ("used", 32),
}  # fmt: skip

# Bits of STATUS and of INTERRUPT_STATUS.
DRIVER_OK, FEATURES_OK, NEEDS_RESET = 4, 8, 64
USED_BUFFER, CONFIG_CHANGE = 1, 2


class Backend(Protocol):
    """The device behind the registers."""

    device_id: int
    features: int
    config: bytes

    def serve(self, ram: Ram, chain: Chain, accepted: int) -> Generator[int, None, int]:
        """Do what a chain asks for; return how many bytes were written to it, or raise BadRing.

        After each piece it yields the work of the piece, in units of `work.py`.
        """
        ...


@dataclass
class State:
    """What a reset clears: plain numbers, so that a snapshot can hold them."""

    status: int = 0
    interrupt: int = 0
    accepted: int = 0      # the features that the driver has accepted
    broken: bool = False   # the driver broke the rules
    selected: int = 0      # the number of the queue
    features_sel: int = 0
    accepted_sel: int = 0
    page_size: int = 4096  # legacy only, like the next two
    align: int = 4096
    frame: int = 0
    queue: Queue = field(default_factory=Queue)


class Device:
    """`backend` behind the registers of `version`, one queue, in slot `slot` of the bus."""

    def __init__(self, backend: Backend, version: int, ram: Ram, slot: int = 0):
        self.slot = slot
        self.backend = backend
        self.version = version
        self.ram = ram
        self.offered = backend.features | (VERSION_1 if version == MODERN else 0)
        self.state = State()

    def load(self, register: int, size: int) -> int:
        """Read `size` bytes at `register`; a register answers to whole words only."""
        if register >= CONFIG:
            data = self.backend.config[register - CONFIG : register - CONFIG + size]
            return int.from_bytes(data, "little")
        if size != 4:
            return 0
        state, modern = self.state, self.version == MODERN
        chosen = state.selected == 0
        match register:
            case Reg.MAGIC_VALUE:
                return MAGIC
            case Reg.VERSION:
                return self.version
            case Reg.DEVICE_ID:
                return self.backend.device_id
            case Reg.VENDOR_ID:
                return VENDOR
            case Reg.DEVICE_FEATURES:
                return _word(self.offered, state.features_sel)
            case Reg.QUEUE_NUM_MAX:
                return QUEUE_MAX if chosen else 0
            case Reg.QUEUE_PFN:
                return state.frame if chosen and not modern else 0
            case Reg.QUEUE_READY:
                return int(chosen and modern and state.queue.ready)
            case Reg.INTERRUPT_STATUS:
                return state.interrupt
            case Reg.STATUS:
                return state.status
        return 0

    def store(self, register: int, size: int, value: int) -> None:
        """Write `value` to `register`; QUEUE_NOTIFY serves the requests that the driver has made
        available.
        """
        for _ in self.storing(register, size, value):
            pass

    def storing(self, register: int, size: int, value: int) -> Iterator[int]:
        """`store` piece by piece: yields the work of each piece."""
        if size != 4:
            return
        state = self.state
        match register:
            case Reg.DEVICE_FEATURES_SEL:
                state.features_sel = value
            case Reg.DRIVER_FEATURES_SEL:
                state.accepted_sel = value
            case Reg.DRIVER_FEATURES if state.accepted_sel < 2 and not state.status & FEATURES_OK:
                low = 32 * state.accepted_sel
                kept = state.accepted & ~(0xFFFF_FFFF << low)
                state.accepted = kept | value << low
            case Reg.GUEST_PAGE_SIZE:
                state.page_size = value
            case Reg.QUEUE_SEL:
                state.selected = value
            case Reg.QUEUE_NOTIFY:
                yield from self._notify(value)
            case Reg.INTERRUPT_ACK:
                state.interrupt &= ~value
            case Reg.STATUS:
                self._set_status(value)
            case _ if state.selected == 0:
                self._set_queue(register, value)

    def _set_status(self, value: int) -> None:
        state = self.state
        if value == 0:
            self.state = State()
            return
        refused = state.accepted & ~self.offered or not state.accepted & VERSION_1
        if self.version == MODERN and refused:
            value &= ~FEATURES_OK  # "the device does not support our subset of features"
        state.status = value | state.status & NEEDS_RESET

    def _set_queue(self, register: int, value: int) -> None:
        """A register of the queue: only if this version has it, and while the queue is not in
        use.
        """
        state, queue = self.state, self.state.queue
        if register == Reg.QUEUE_NUM:
            if not queue.ready:
                queue.size = value
        elif self.version == LEGACY:
            if register == Reg.QUEUE_ALIGN:
                state.align = value
            elif register == Reg.QUEUE_PFN:
                self._place_legacy(value)
        elif register == Reg.QUEUE_READY:
            if value & 1:
                queue.ready = True
            else:
                state.queue = Queue(queue.size)
        elif register in _PARTS and not queue.ready:
            part, low = _PARTS[register]
            kept = getattr(queue, part) & ~(0xFFFF_FFFF << low)
            setattr(queue, part, kept | value << low)

    def _place_legacy(self, frame: int) -> None:
        """Legacy drivers place all parts of a queue by one frame number; 0 removes the queue."""
        state, size = self.state, self.state.queue.size
        start, align = frame * state.page_size, max(state.align, 1)
        available = start + 16 * size
        used = -(-(available + 2 * (3 + size)) // align) * align
        state.frame = frame
        state.queue = Queue(size, frame != 0, start, available, used)

    def _notify(self, number: int) -> Iterator[int]:
        """Serve the queue; if a driver breaks the rules, the device stops until it is reset."""
        state, queue = self.state, self.state.queue
        if number or not queue.ready or state.broken or not state.status & DRIVER_OK:
            return
        served = False
        try:
            for chain in queue.chains(self.ram):
                yield DESCRIPTOR * (len(chain.readable) + len(chain.writable))
                written = yield from self.backend.serve(self.ram, chain, state.accepted)
                queue.give_back(self.ram, chain, written)
                served = True
            if served and queue.wants_interrupt(self.ram):
                state.interrupt |= USED_BUFFER
        except BadRing:
            state.broken = True
            state.status |= NEEDS_RESET
            state.interrupt |= CONFIG_CHANGE


def _word(value: int, number: int) -> int:
    """The 32-bit word with that number, which the guest chose, of a 64-bit value."""
    return value >> 32 * number & 0xFFFF_FFFF if number < 2 else 0
