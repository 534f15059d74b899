"""Answers for what a virtio block device does with a request.

Source: virtio 1.2, 5.2.  A failure of the host's disk is an I/O error that the guest
sees.  Must not know registers or rings.
"""

import struct
from collections.abc import Generator, Iterator

from toyisa.core.work import DMA_BYTES, LOOK
from toyisa.devices.disk import SECTOR, Disk
from toyisa.devices.overlay import Overlay
from toyisa.devices.virtqueue import BadRing, Chain, Ram

SEG_MAX, RO, BLK_SIZE, FLUSH = 1 << 2, 1 << 5, 1 << 6, 1 << 9  # features
IN, OUT, DO_FLUSH, GET_ID = 0, 1, 4, 8
OK, IOERR, UNSUPP = 0, 1, 2

SEGMENTS = 126  # data buffers in a request: a queue has 128 places, less header and status
MAX_REQUEST = 4 << 20  # bytes that one request may move
PIECE = 256 << 10  # bytes that are moved between two looks
ID_BYTES = 20

_HEADER = struct.Struct("<IIQ")  # type, reserved, sector
_CONFIG = struct.Struct("<QIIHBBI")  # capacity, size_max, seg_max, geometry, blk_size


class Block:
    """A disk behind virtio's block device."""

    device_id = 2

    def __init__(self, disk: Disk | Overlay):
        self.disk = disk
        self.name = disk.name.rsplit("/", 1)[-1]
        self.features = SEG_MAX | BLK_SIZE | FLUSH | (RO if disk.read_only else 0)
        self.config = _CONFIG.pack(disk.sectors, 0, SEGMENTS, 0, 0, 0, SECTOR)

    def serve(self, ram: Ram, chain: Chain, accepted: int) -> Generator[int, None, int]:
        """Do a request: it has a header, data, and a byte for the result.

        It does not matter where one buffer ends and the next begins (4.2.4.4, "message
        framing"), so legacy and modern drivers are served alike.
        """
        room = sum(size for _, size in chain.writable)
        sent = sum(size for _, size in chain.readable)
        if sent < _HEADER.size or not room:
            raise BadRing("a request without a header, or without room for its status")
        if sent > MAX_REQUEST + _HEADER.size or room > MAX_REQUEST + 1:
            return self._end(ram, chain, IOERR, 0, room)
        kind, _, sector = _HEADER.unpack(_gather(ram, chain.readable, 0, _HEADER.size))
        written = 0
        try:
            if kind == IN:
                yield from self._read(ram, chain, sector, room - 1)
                written = room - 1
            elif kind == OUT:
                yield from self._write(ram, chain, sector, sent - _HEADER.size)
            elif kind == GET_ID:
                name = self.name.encode()[:ID_BYTES].ljust(ID_BYTES, b"\0")[: room - 1]
                _scatter(ram, chain.writable, 0, name)
                written = len(name)
            elif kind != DO_FLUSH:
                return self._end(ram, chain, UNSUPP, 0, room)
            if kind == DO_FLUSH or (kind == OUT and not accepted & FLUSH):
                # "If VIRTIO_BLK_F_FLUSH was not negotiated, the device must be in writethrough
                # mode": the data must be on the host's disk before the request is done.
                self.disk.flush()
                yield LOOK  # the host's disk may have taken long
        except OSError:
            return self._end(ram, chain, IOERR, 0, room)
        return self._end(ram, chain, OK, written, room)

    def _read(self, ram: Ram, chain: Chain, sector: int, size: int) -> Iterator[int]:
        """Move `size` bytes from the disk to the chain, piece by piece; OSError."""
        at = self._place(sector, size)
        for done in range(0, size, PIECE):
            data = self.disk.read(at + done, min(PIECE, size - done))
            _scatter(ram, chain.writable, done, data)
            yield len(data) // DMA_BYTES

    def _write(self, ram: Ram, chain: Chain, sector: int, size: int) -> Iterator[int]:
        """Move the `size` bytes after the header to the disk, piece by piece; OSError."""
        at = self._place(sector, size)
        for done in range(0, size, PIECE):
            count = min(PIECE, size - done)
            self.disk.write(at + done, _gather(ram, chain.readable, _HEADER.size + done, count))
            yield count // DMA_BYTES

    def _place(self, sector: int, size: int) -> int:
        """The place on the disk; OSError unless these are whole sectors that exist."""
        if size % SECTOR or sector + size // SECTOR > self.disk.sectors:
            raise OSError("outside the disk")
        return sector * SECTOR

    def _end(self, ram: Ram, chain: Chain, status: int, written: int, room: int) -> int:
        """Put the status into the last byte; return how many bytes were written to the chain."""
        _scatter(ram, chain.writable, room - 1, bytes([status]))
        return written + 1


def _gather(ram: Ram, pieces: tuple[tuple[int, int], ...], skip: int, count: int) -> bytes:
    """Read `count` bytes from buffers that follow each other, `skip` bytes from their start."""
    data = b""
    for address, size in pieces:
        if skip < size and len(data) < count:
            data += ram.read(address + skip, min(size - skip, count - len(data)))
        skip = max(skip - size, 0)
    return data


def _scatter(ram: Ram, pieces: tuple[tuple[int, int], ...], skip: int, data: bytes) -> None:
    """Write `data` to buffers that follow each other, `skip` bytes from their start."""
    for address, size in pieces:
        if skip >= size:
            skip -= size
            continue
        part = data[: size - skip]
        ram.write(address + skip, part)
        data = data[len(part) :]
        skip = 0
        if not data:
            return
