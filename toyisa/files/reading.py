"""Answers for reading a user's file: completely and within a limit, or a refusal that says why.

This is the only door: every file that a user names comes through it.  Must not know what the
file is for; the caller says how large such a file can be.

    regular file      read, if it is not larger than the limit
    FIFO, terminal    read to its end; if nothing comes, a line on stderr says so
    /dev/null         empty
    anything else     refused: directories, sockets, other devices such as /dev/zero
"""

import difflib
import errno
import os
import select
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PIECE = 1 << 20
PATIENCE = 0.5  # seconds without data after which the user is told what the command waits for
LOOKED_AT = 1000  # names of a directory among which a similar name is searched for

_FIXES = {
    errno.EACCES: "make it readable (chmod +r)",
    errno.ELOOP: "name a file instead of a link to itself",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ENOTDIR: "a part of the path is a file, not a directory",
    errno.EIO: "copy it to a regular file first",
}


class Unreadable(Exception):
    """A file cannot be used: which, why, and what to do about it."""

    def __init__(self, path: str | Path, reason: str, fix: str):
        super().__init__(f"{path}: {reason}; {fix}")
        self.path, self.reason, self.fix = str(path), reason, fix


def read(path: str | Path, limit: int, say: Callable[[str], None] | None = None) -> bytes:
    """The bytes of the file at `path`, at most `limit`; Unreadable.

    `say` is called with a line if a FIFO or a terminal is waited for; the default prints to
    stderr.
    """
    try:
        descriptor = _opened(path)
        try:
            return _content(descriptor, path, limit, say or _say)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError as error:  # a null character in the name
        raise Unreadable(path, f"cannot be read ({error})", "no file has such a name") from None


def _opened(path: str | Path) -> int:
    """A descriptor of something that may be read; opening a device can already have an effect."""
    status = os.stat(path)
    if reason := _special(status):
        raise Unreadable(path, *reason)
    # With O_NONBLOCK a FIFO can be opened before somebody writes to it; we wait ourselves.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if reason := _special(os.fstat(descriptor)):  # it was replaced between the two checks
        os.close(descriptor)
        raise Unreadable(path, *reason)
    return descriptor


def _special(status: os.stat_result) -> tuple[str, str] | None:
    """Reason and fix, if this cannot be read, or has no end."""
    mode = status.st_mode
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        return None
    if stat.S_ISDIR(mode):
        return "is a directory", "name a file in it"
    if stat.S_ISSOCK(mode):
        return "is a socket", "give a file"
    if stat.S_ISCHR(mode) and status.st_rdev in _harmless():
        return None
    return "is a device", "copy the part that you need to a file"


def _harmless() -> set[int]:
    """Numbers of the devices that may be read: the null device, and our terminal."""
    found = {os.stat(os.devnull).st_rdev}
    with suppress(OSError):
        if os.isatty(0):
            found |= {os.fstat(0).st_rdev, os.stat("/dev/tty").st_rdev}
    return found


def _content(
    descriptor: int, path: str | Path, limit: int, say: Callable[[str], None]
) -> bytes:
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode)
    if regular and status.st_size > limit:
        raise _too_large(path, limit)
    pieces, size = [], 0
    while size <= limit:
        try:
            piece = os.read(descriptor, min(PIECE, limit + 1 - size))
        except BlockingIOError:
            if regular:  # a file of the kernel that waits for events
                raise Unreadable(path, "has no end", "copy a part of it to a file") from None
            piece = None
        if piece == b"" and (regular or size or not _unwritten(descriptor)):
            return b"".join(pieces)
        if piece:
            pieces.append(piece)
            size += len(piece)
        else:
            _wait(descriptor, path, say)
    raise _too_large(path, limit)


def _unwritten(descriptor: int) -> bool:
    """Whether this is a FIFO that nobody has opened for writing yet, so that it only seems to
    have ended.
    """
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return False
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return not waiting.poll(0)  # when a writer has come and gone, the FIFO says so


def _wait(descriptor: int, path: str | Path, say: Callable[[str], None]) -> None:
    """Return when there may be something to read."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if not waiting.poll(PATIENCE * 1000):
        say(f"waiting for data from {path} ...")
        waiting.poll()


def _too_large(path: str | Path, limit: int) -> Unreadable:
    size = f"{limit >> 20} MB" if limit >> 20 else f"{limit >> 10} KB"
    return Unreadable(path, f"is larger than {size}", "no such file needs that much")


def _unreadable(path: str | Path, error: OSError) -> Unreadable:
    if error.errno == errno.ENOENT:
        return Unreadable(path, "no such file", _near(Path(path)) or "check the path")
    reason = error.strerror or str(error)
    return Unreadable(path, f"cannot be read ({reason})", _FIXES.get(error.errno, "give another"))


def _near(path: Path) -> str:
    """A name in the same directory that may have been meant."""
    names: list[str] = []
    with suppress(OSError, ValueError), os.scandir(path.parent) as entries:
        for entry, _ in zip(entries, range(LOOKED_AT)):
            names.append(entry.name)
    near = difflib.get_close_matches(path.name, names, 1, 0.7)
    return f"did you mean `{path.with_name(near[0])}`?" if near else ""


def _say(line: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):  # nobody can read it
            print(f"toyvmm: {line}", file=sys.stderr, flush=True)
