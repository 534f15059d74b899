"""Answers for a disk whose writes stay in memory: copy on write over an image.

What a machine needs to be taken back in time with its disk, which the host's own file
cannot be.  Must not know who turns time back.
"""

from toyisa.devices.disk import SECTOR, Disk


class Overlay:
    """`disk`, which is only read, as a guest may write it; lost with the process.

    `written` holds the sectors that differ from the image: as much memory as the
    guest has written, up to the size of the disk.
    """

    read_only = False

    def __init__(self, disk: Disk):
        self.name, self.sectors = disk.name, disk.sectors
        self.written: dict[int, bytes] = {}
        self._disk = disk

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes; both are of whole sectors.  OSError."""
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
        """Keep `data`; it is of whole sectors."""
        for at in range(0, len(data), SECTOR):
            self.written[(offset + at) // SECTOR] = bytes(data[at : at + SECTOR])

    def flush(self) -> None:
        """Nothing to do: no more than this is promised."""

    def digest(self) -> str:
        """The digest of the image, without what was written."""
        return self._disk.digest()

    def close(self) -> None:
        """Give the image free for others."""
        self._disk.close()
