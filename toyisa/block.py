"""Answers for what a virtio block device does with a request.

Source: virtio 1.2, 5.2.  A failure of the host's disk is an I/O error that the guest
sees.  Must not know registers or rings.
"""

import struct

from toyisa.disk import SECTOR, Disk
from toyisa.overlay import Overlay
from toyisa.virtqueue import BadRing, Chain, Ram

SEG_MAX, RO, BLK_SIZE, FLUSH = 1 << 2, 1 << 5, 1 << 6, 1 << 9  # features
IN, OUT, DO_FLUSH, GET_ID = 0, 1, 4, 8
OK, IOERR, UNSUPP = 0, 1, 2

SEGMENTS = 126  # data buffers in a request: a queue of 128, less header and status
MAX_REQUEST = 4 << 20  # bytes: what one store of a guest may cost the host
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

    def serve(self, ram: Ram, chain: Chain, accepted: int) -> int:
        """Do a request: its header, its data, then a byte for how it went.

        Where one buffer ends and the next begins means nothing (4.2.4.4, "message
        framing"), so legacy and modern drivers are served alike.
        """
        room = sum(size for _, size in chain.writable)
        sent = sum(size for _, size in chain.readable)
        if sent < _HEADER.size or not room:
            raise BadRing("a request without a header, or without room for its status")
        if sent > MAX_REQUEST + _HEADER.size or room > MAX_REQUEST + 1:
            return self._end(ram, chain, IOERR, 0, room)
        data = b"".join(ram.read(*piece) for piece in chain.readable)
        kind, _, sector = _HEADER.unpack_from(data)
        try:
            answer = self._do(kind, sector, data[_HEADER.size :], room - 1)
        except OSError:
            return self._end(ram, chain, IOERR, 0, room)
        if answer is None:
            return self._end(ram, chain, UNSUPP, 0, room)
        if kind == OUT and not accepted & FLUSH:
            # "If VIRTIO_BLK_F_FLUSH was not negotiated, the device must be in
            # writethrough mode": on the host's disk before the request is done.
            try:
                self.disk.flush()
            except OSError:
                return self._end(ram, chain, IOERR, 0, room)
        _scatter(ram, chain.writable, 0, answer)
        return self._end(ram, chain, OK, len(answer), room)

    def _do(self, kind: int, sector: int, data: bytes, room: int) -> bytes | None:
        """What the request answers with, None if there is no such; OSError."""
        if kind == IN:
            return self.disk.read(self._place(sector, room), room)
        if kind == OUT:
            self.disk.write(self._place(sector, len(data)), data)
            return b""
        if kind == DO_FLUSH:
            self.disk.flush()
            return b""
        if kind == GET_ID:
            return self.name.encode()[:ID_BYTES].ljust(ID_BYTES, b"\0")[:room]
        return None

    def _place(self, sector: int, size: int) -> int:
        """Where on the disk; OSError unless all of it is whole sectors that exist."""
        if size % SECTOR or sector + size // SECTOR > self.disk.sectors:
            raise OSError("outside the disk")
        return sector * SECTOR

    def _end(self, ram: Ram, chain: Chain, status: int, written: int, room: int) -> int:
        """Put the status into the last byte; how many bytes were written to the chain."""
        _scatter(ram, chain.writable, room - 1, bytes([status]))
        return written + 1


def _scatter(ram: Ram, pieces: tuple[tuple[int, int], ...], skip: int, data: bytes) -> None:
    """Write `data` to buffers laid end to end, `skip` bytes from their start."""
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
