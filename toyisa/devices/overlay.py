"""Answers for a disk whose writes stay in memory: copy on write over an image.

A machine that goes back in time needs its disk to go back too, which the host's own file
cannot do.  Must not know who turns time back.
"""

from toyisa.devices.disk import SECTOR, Disk


class Overlay:
    """`disk`, which is only read, as a disk that a guest may write; the writes end with the
    process.

    `written` holds the sectors that differ from the image: as much memory as the guest has
    written, up to the size of the disk.
    """

    read_only = False

    def __init__(self, disk: Disk):
        self.name, self.sectors = disk.name, disk.sectors
        self.written: dict[int, bytes] = {}
        self._disk = disk

    def read(self, offset: int, size: int) -> bytes:
        """Read `size` bytes, in whole sectors.  OSError."""
        data = self._disk.read(offset, size)
        first, count = offset // SECTOR, size // SECTOR
        if not self.written:
            return data
        pieces = (
            self.written.get(first + n) or data[n * SECTOR : (n + 1) * SECTOR]
            for n in range(count)
        )
        return b"".join(pieces)

    def write(self, offset: int, data: bytes) -> None:
        """Keep `data`, which is whole sectors."""
        for at in range(0, len(data), SECTOR):
            self.written[(offset + at) // SECTOR] = bytes(data[at : at + SECTOR])

    def flush(self) -> None:
        """Do nothing: no more than this is promised."""

    def digest(self) -> str:
        """The digest of the image, without the guest's writes."""
        return self._disk.digest()

    def close(self) -> None:
        """Let others use the image."""
        self._disk.close()
