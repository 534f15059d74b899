"""Answers for writing a user's files: checked before the work, complete or absent after it.

This is the only door: every file that a command writes for the user goes through it.  Must
not know what is in them.

    regular file, or none     written under another name, then renamed; until then the old one stays
    /dev/null, a terminal     written through
    a FIFO                    written through; a line on stderr if nobody reads it
    what stdout or stderr is  written to that stream, as /dev/stdout: never replaced, nor cut
    anything else             refused: a directory, another device, a socket
"""

import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_FIXES = {
    errno.EACCES: "choose a directory that you may write to",
    errno.ENOENT: "make its directory first",
    errno.ENOSPC: "free some space, or choose another place",
    errno.EROFS: "choose a place that can be written",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ENOTDIR: "a part of the path is a file, not a directory",
}


class Unwritable(OSError):
    """A file cannot be written: which, why, and what to do about it."""

    def __init__(self, path: str | Path, reason: str, fix: str):
        super().__init__(f"cannot write {path}: {reason}; {fix}")


@dataclass(frozen=True)
class Place:
    """A place that was checked, to which a file can be written.

    `stream` is a descriptor of ours, if the name leads to it.  `through` says that it is not
    a regular file.  Otherwise `target` is the name with all links followed.
    """

    path: Path
    target: Path
    identity: tuple[Any, ...]  # equal for two names of the same file
    through: bool = False
    stream: int | None = None

    @property
    def shared(self) -> bool:
        """Whether several files may be written to it: true for the null device."""
        return self.through and self.identity == ("device", os.stat(os.devnull).st_rdev)


def place(path: str | Path) -> Place:
    """The place for a file of that name; Unwritable if nothing can be written there."""
    path = Path(path)
    try:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return _new(path)
        return _existing(path, status)
    except OSError as error:
        raise unwritable(path, error) from None
    except ValueError as error:  # a null character in the name
        raise Unwritable(path, str(error), "no file has such a name") from None


def write(
    path: str | Path, data: bytes | Iterable[bytes], mode: int = 0o666, durable: bool = False
) -> None:
    """Write one file completely or not at all; Unwritable.

    `data` may come in pieces.  The umask is taken from `mode`; with `durable`, wait until it
    is on the disk.
    """
    pieces = (data,) if isinstance(data, bytes) else data
    found = place(path)
    try:
        if found.through:
            with _through(found) as file:
                file.writelines(pieces)
            return
        partial, file = _partial(found.target, mode, found.path)
        try:
            with file:
                file.writelines(pieces)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(partial, found.target)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial)
            raise
    except OSError as error:
        raise unwritable(path, error) from None
    if durable:
        _sync(found.target.parent)


class _Sink(io.FileIO):
    """A file whose errors say which file it is: Unwritable."""

    def __init__(self, descriptor: int, path: Path):
        super().__init__(descriptor, "wb")
        self._path = path

    def write(self, data: Any) -> int | None:
        try:
            return super().write(data)
        except OSError as error:
            raise unwritable(self._path, error) from None


@dataclass
class _Open:
    """A file that is being written: its temporary name, and its place in the end."""

    place: Place
    file: IO[bytes]
    partial: str = ""  # "": it is written through


@dataclass
class Outputs:
    """The files that a command writes.  `commit` gives all files their names; without it none
    appear.

    `wanted` are (option, path); `inputs` are files that the command reads.  Writing to an
    input is refused, and so are two outputs in one file.  Unwritable.
    """

    wanted: Iterable[tuple[str, str | Path | None]]
    inputs: Iterable[str | Path] = ()
    _places: dict[Path, Place] = field(default_factory=dict)
    _open: list[_Open] = field(default_factory=list)

    def __post_init__(self) -> None:
        read = _identities(self.inputs)
        taken: dict[tuple[Any, ...], str] = {}
        for option, path in self.wanted:
            if path is None:
                continue
            found = place(path)
            if found.identity in read:
                raise Unwritable(path, f"{option} would replace what the command reads",
                                 "name another file")  # fmt: skip
            other = taken.setdefault(found.identity, option)
            if other != option and not found.shared:
                raise Unwritable(path, f"{other} and {option} are the same file", "name two files")
            self._places[Path(path)] = found

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not committed."""
        for each in self._open:
            with suppress(OSError):
                each.file.close()
            if each.partial:
                with suppress(OSError):
                    os.unlink(each.partial)
        self._open.clear()

    def open(self, path: str | Path) -> IO[bytes]:
        """A file to be written bit by bit, which `commit` gives its name; Unwritable."""
        found = self._places[Path(path)]
        try:
            if found.through:
                opened = _Open(found, _through(found))
            else:
                partial, file = _partial(found.target, 0o666, found.path)
                opened = _Open(found, file, partial)
        except OSError as error:
            raise unwritable(path, error) from None
        self._open.append(opened)
        return opened.file

    def __contains__(self, path: str | Path) -> bool:
        return Path(path) in self._places

    def put(self, path: str | Path, data: bytes) -> None:
        """A file's whole content; `commit` gives the file its name; Unwritable."""
        file = self.open(path)
        file.write(data)
        file.flush()

    def commit(self) -> None:
        """Give all files their names; if a disk is full, give none, and raise Unwritable."""
        for each in self._open:
            try:
                each.file.close()
            except OSError as error:
                raise unwritable(each.place.path, error) from None
        while self._open:
            each = self._open.pop(0)
            try:
                if each.partial:
                    os.replace(each.partial, each.place.target)
            except OSError as error:
                self._open.append(each)
                raise unwritable(each.place.path, error) from None


def unwritable(path: str | Path, error: OSError) -> Unwritable:
    """The refusal for an error of the host."""
    if isinstance(error, Unwritable):
        return error
    return Unwritable(path, error.strerror or str(error), _FIXES.get(error.errno, "name another"))


def _new(path: Path) -> Place:
    """The place for a file that does not exist; a link that leads nowhere is followed."""
    if not path.name or path.name == "..":
        raise Unwritable(path, "is not the name of a file", "name a file")
    target = Path(os.path.realpath(path))
    _try_out(target)
    folder = os.stat(target.parent)
    return Place(path, target, ("name", folder.st_dev, folder.st_ino, target.name))


def _existing(path: Path, status: os.stat_result) -> Place:
    mode, identity = status.st_mode, ("file", status.st_dev, status.st_ino)
    if stat.S_ISDIR(mode):
        raise Unwritable(path, "is a directory", "name a file in it")
    for stream in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(stream), status):
                if stat.S_ISCHR(mode):
                    identity = ("device", status.st_rdev)
                return Place(path, path, identity, through=True, stream=stream)
    if stat.S_ISFIFO(mode):
        if not os.access(path, os.W_OK):
            raise Unwritable(path, "you may not write to it", "name another")
        return Place(path, path, identity, through=True)
    if stat.S_ISCHR(mode) and status.st_rdev in _harmless():
        return Place(path, path, ("device", status.st_rdev), through=True)
    if not stat.S_ISREG(mode):
        kind = "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise Unwritable(path, f"is {kind}", "name a file, or /dev/stdout")
    if not os.access(path, os.W_OK):
        raise Unwritable(path, "it may not be changed", "chmod u+w it, or name another")
    target = Path(os.path.realpath(path))
    folder = os.stat(target.parent)
    us = os.geteuid()
    if folder.st_mode & stat.S_ISVTX and us not in (0, status.st_uid, folder.st_uid):
        raise Unwritable(path, "it belongs to another user, in a shared directory", "name another")
    _try_out(target)
    return Place(path, target, identity)


def _harmless() -> set[int]:
    """Numbers of the devices that may be written: the null device, and our terminal."""
    found = {os.stat(os.devnull).st_rdev}
    with suppress(OSError):
        found.add(os.stat("/dev/tty").st_rdev)
    return found


def _try_out(target: Path) -> None:
    """Check that a file can be made there, with a name as long; OSError."""
    with suppress(FileNotFoundError):
        os.lstat(target)
    partial, file = _partial(target, 0o600, target)
    file.close()
    os.unlink(partial)


def _partial(target: Path, mode: int, path: Path) -> tuple[str, IO[bytes]]:
    """A new file beside `target`, which nobody else has; errors call it `path`."""
    name = str(target.parent / f".toyvmm-{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return name, _sink(os.open(name, flags, mode), path)


def _sink(descriptor: int, path: Path) -> IO[bytes]:
    return io.BufferedWriter(_Sink(descriptor, path))


def _through(found: Place) -> IO[bytes]:
    """Open a place that is written through."""
    if found.stream is not None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return _sink(os.dup(found.stream), found.path)
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(found.path, flags | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
    except OSError as error:
        if error.errno != errno.ENXIO:  # a FIFO that nobody reads
            raise
        _say(f"waiting for somebody to read {found.path} ...")
        descriptor = os.open(found.path, flags)
    return _sink(descriptor, found.path)


def _identities(paths: Iterable[str | Path]) -> set[tuple[Any, ...]]:
    """Which files these are, standard input among them; devices may be read and written."""
    found = set()
    looks: list[Callable[[], os.stat_result]] = [lambda: os.fstat(0)]
    looks += [lambda path=path: os.stat(path) for path in paths]
    for look in looks:
        with suppress(OSError, ValueError):
            status = look()
            if stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode):
                found.add(("file", status.st_dev, status.st_ino))
    return found


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot; then the name may be lost, but no content
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _say(line: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"toyvmm: {line}", file=sys.stderr, flush=True)
