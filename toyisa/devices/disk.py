"""Answers for a disk image on the host: a raw file, locked, whose errors are reported.

Every error of the host is an OSError, which the caller passes on to the guest.  Must not know
how a guest asks (`block.py`).
"""

import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path

SECTOR = 512
_PIECE = 1 << 20


class DiskError(Exception):
    """The image cannot be used; the text names the file, the reason and the fix."""


class Disk:
    """The raw image at `path`, its length rounded down to sectors; DiskError.

    While it is open, no other run can open it; if it is read-only, others can open it
    read-only. Otherwise two guests would overwrite what the other has cached.
    """

    def __init__(self, path: str | Path, read_only: bool = False):
        self.name = str(path)
        self.read_only = read_only
        self._descriptor = -1
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for its other end.
            mode = os.O_RDONLY if read_only else os.O_RDWR
            self._descriptor = os.open(path, mode | os.O_NONBLOCK | os.O_CLOEXEC)
            self._lock()
            self.sectors = self._size() // SECTOR
        except DiskError:
            self.close()
            raise
        except (OSError, ValueError) as error:  # ValueError: a null character in the name
            self.close()
            reason = getattr(error, "strerror", None) or error
            fix = ""
            if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS):
                fix = "" if read_only else f"; `--disk {path},ro` only reads it"
            raise DiskError(f"{path}: {reason}{fix}") from None

    def _lock(self) -> None:
        kind = fcntl.LOCK_SH if self.read_only else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DiskError(f"{self.name}: is in use by another run") from None

    def _size(self) -> int:
        status = os.fstat(self._descriptor)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise DiskError(f"{self.name}: is not a disk image (a regular file)")
        size = os.lseek(self._descriptor, 0, os.SEEK_END)  # works for block devices too
        if size < SECTOR:
            raise DiskError(f"{self.name}: is shorter than one sector of {SECTOR} bytes")
        return size

    def read(self, offset: int, size: int) -> bytes:
        """Read `size` bytes; OSError, also if the file has become shorter."""
        data = bytearray()
        while len(data) < size:
            piece = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not piece:
                raise OSError(errno.EIO, "the image is shorter than it was")
            data += piece
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`; OSError if the host's disk is full, or this one is read-only."""
        if self.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            offset += written
            rest = rest[written:]

    def flush(self) -> None:
        """Return when everything that was written is on the host's disk; OSError if it is not."""
        if not self.read_only:
            os.fsync(self._descriptor)

    def digest(self) -> str:
        """The SHA-256 of the image's sectors; OSError."""
        total = hashlib.sha256()
        size = self.sectors * SECTOR
        for at in range(0, size, _PIECE):
            total.update(self.read(at, min(_PIECE, size - at)))
        return total.hexdigest()

    def close(self) -> None:
        """Let others use the image."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self):
        self.close()
