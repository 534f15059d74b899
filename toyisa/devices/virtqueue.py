"""Answers for reading a driver's rings: descriptor chains in, used elements out.

Split virtqueues (virtio 1.2, 2.7).  Every index and address comes from the guest and is
checked here; `BadRing` if it breaks the rules.  Must not know registers (`virtio.py`) nor
what a chain asks for (`block.py`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from toyisa.tables.requests import Writer

QUEUE_MAX = 128  # descriptors in the largest queue that we offer

NEXT, WRITE, INDIRECT = 1, 2, 4  # flags of a descriptor
NO_INTERRUPT = 1  # flag of the available ring

_DESCRIPTOR = struct.Struct("<QIHH")  # address, length, flags, next
_U16 = struct.Struct("<H")
_USED = struct.Struct("<II")  # head of the chain, bytes written


class BadRing(Exception):
    """The driver broke the rules: the device stops until it is reset."""


class Ram(Protocol):
    """The guest's memory as a device accesses it; IndexError outside RAM."""

    def read(self, pa: int, size: int) -> bytes: ...
    def write(self, pa: int, data: bytes, writer: Writer = ...) -> None: ...
    def check(self, pa: int, size: int) -> None: ...


@dataclass(frozen=True)
class Chain:
    """One request: buffers to read, then buffers to write, as (address, length)."""

    head: int
    readable: tuple[tuple[int, int], ...]
    writable: tuple[tuple[int, int], ...]


@dataclass
class Queue:
    """One queue as the driver has set it up, and how far the device has got."""

    size: int = 0
    ready: bool = False
    descriptors: int = 0  # physical addresses of its three parts
    available: int = 0
    used: int = 0
    seen: int = 0  # available entries taken, modulo 2**16
    done: int = 0  # used entries given, modulo 2**16

    def chains(self, ram: Ram) -> Iterator[Chain]:
        """The chains that were made available since the last call; BadRing."""
        if not 0 < self.size <= QUEUE_MAX or self.size & (self.size - 1):
            raise BadRing(f"queue size {self.size}")
        waiting = (self._u16(ram, self.available + 2) - self.seen) & 0xFFFF
        if waiting > self.size:
            raise BadRing(f"{waiting} chains made available in a queue of {self.size}")
        for _ in range(waiting):
            place = self.available + 4 + 2 * (self.seen % self.size)
            chain = self._chain(ram, self._u16(ram, place))
            self.seen = (self.seen + 1) & 0xFFFF
            yield chain

    def _chain(self, ram: Ram, head: int) -> Chain:
        readable, writable = [], []
        at = head
        for _ in range(self.size):  # a longer chain is a loop
            if at >= self.size:
                raise BadRing(f"descriptor {at} in a queue of {self.size}")
            data = _read(ram, self.descriptors + 16 * at, 16)
            address, length, flags, following = _DESCRIPTOR.unpack(data)
            if flags & INDIRECT:
                raise BadRing("an indirect descriptor, which was not offered")
            try:
                ram.check(address, length)
            except IndexError as error:
                raise BadRing(str(error)) from None
            if flags & WRITE:
                writable.append((address, length))
            elif writable:
                raise BadRing("a buffer to read behind one to write")
            else:
                readable.append((address, length))
            if not flags & NEXT:
                return Chain(head, tuple(readable), tuple(writable))
            at = following
        raise BadRing("a chain without end")

    def give_back(self, ram: Ram, chain: Chain, written: int) -> None:
        """Tell the driver that the device is done with a chain; BadRing."""
        place = self.used + 4 + 8 * (self.done % self.size)
        self.done = (self.done + 1) & 0xFFFF
        try:
            ram.write(place, _USED.pack(chain.head, written))
            ram.write(self.used + 2, _U16.pack(self.done))
        except IndexError as error:
            raise BadRing(str(error)) from None

    def wants_interrupt(self, ram: Ram) -> bool:
        return not self._u16(ram, self.available) & NO_INTERRUPT

    def _u16(self, ram: Ram, pa: int) -> int:
        return _U16.unpack(_read(ram, pa, 2))[0]


def _read(ram: Ram, pa: int, size: int) -> bytes:
    try:
        return ram.read(pa, size)
    except IndexError as error:
        raise BadRing(str(error)) from None
