"""Answers for a disk that exists only in memory, for guests of campaigns.

Must not know who reads it.
"""

from toyisa.devices.disk import SECTOR


class RamDisk:
    """`sectors` sectors, each full of its number; it is used like a `toyisa.devices.disk.Disk`."""

    name, read_only = "ram", False

    def __init__(self, sectors: int = 16):
        self.sectors = sectors
        self.data = bytearray(b"".join(bytes([n & 0xFF]) * SECTOR for n in range(sectors)))

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self.data[offset : offset + len(data)] = data

    def flush(self) -> None:
        """Nothing to do."""

    def digest(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing to close."""
