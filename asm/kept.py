"""Answers for the cache of assembled programs on disk, so that none is assembled twice.

The name of an entry is a digest of the source's name, the options, and the assembler's own
files.  The entry lists each file that was read, with a digest of its content, and each place
where a file was looked for in vain.  It is valid as long as all of that is unchanged. Must
not know what runs the programs, nor where the cache is: the caller names a directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import toyisa

MAGIC = b"toyvmm assembled program 1\n"
MOST = 400  # entries: the examples, built in every way, are about 60
ROOM = 64 << 20  # bytes of all entries together; the oldest are deleted first
LARGEST = 16 << 20  # bytes of a program that is kept, or of one of its files
GRAIN = 1_000_000_000  # nanoseconds by which a file system's clock may be late
OLD = 3600  # seconds after which a half-written file is left over from a process that died
_NAME = re.compile(r"[0-9a-f]{32}\.elf")
_PARTIAL = re.compile(r"[0-9a-f]{32}\.elf\.\d+")

_digests: dict[str, tuple[tuple[int, ...], str]] = {}  # by path: state, digest of the content


@dataclass(frozen=True)
class Program:
    """A program's ELF, and all the files that it was made of."""

    elf: bytes
    files: tuple[str, ...]


def program(directory: Path | None, source: Path, include_dirs: Sequence[Path] = (),
            defines: Mapping[str, int] | None = None) -> Program:  # fmt: skip
    """The program of a source: from `directory`, if it is there and nothing has changed.

    Raises AsmErrors, like `assemble`.  Without a directory, or if the directory cannot be
    written, the program is assembled each time.
    """
    if directory is None:
        return _assembled(source, include_dirs, defines)[0]
    entry = directory / _name(source, include_dirs, defines)
    if (found := _read(entry)) is not None:
        with contextlib.suppress(OSError):
            os.utime(entry)  # it was used now; `_prune` looks at that
        return found
    began = time.time_ns()
    made, missing = _assembled(source, include_dirs, defines)
    content = _content(made, missing, began)
    if content is not None:
        with contextlib.suppress(OSError):
            _write(entry, content)
            _prune(directory)
    return made


def size(directory: Path) -> tuple[int, int]:
    """How many programs are in the directory, and their bytes."""
    found = [status.st_size for _, status in _entries(directory, _NAME)]
    return len(found), sum(found)


def clear(directory: Path) -> int:
    """Delete the programs in the directory, and nothing else; return how many bytes that was."""
    gone = 0
    for path, status in [*_entries(directory, _NAME), *_entries(directory, _PARTIAL)]:
        with contextlib.suppress(OSError):
            with path.open("rb") as file:
                ours = file.read(len(MAGIC)) == MAGIC
            if ours:
                path.unlink()
                gone += status.st_size
    with contextlib.suppress(OSError):  # it is not empty, or does not exist
        directory.rmdir()
    return gone


def _assembled(source: Path, include_dirs: Sequence[Path],
               defines: Mapping[str, int] | None) -> tuple[Program, list[str]]:  # fmt: skip
    """The program, and the places where a file was looked for in vain."""
    # This import takes time, and a program from the cache does not need it
    from asm.assembler import assemble

    made = assemble(source, include_dirs=include_dirs, defines=defines)
    return Program(made.elf(), tuple(made.files)), sorted(made.missing)


def _name(source: Path, include_dirs: Sequence[Path], defines: Mapping[str, int] | None) -> str:
    """The name of the entry: a digest of everything that says how it is made, except the files."""
    how = (_folder(), str(source), [str(path) for path in include_dirs],
           sorted((defines or {}).items()))  # fmt: skip
    text = repr((_assembler(), how)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).hexdigest() + ".elf"


def _folder() -> str:
    """The working directory, from which relative names start; empty if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


@cache
def _assembler() -> str:
    """A digest of the assembler: its own files, the tables that it reads, and Python."""
    digest = hashlib.blake2b(repr(sys.version_info).encode(), digest_size=16)
    for path in sources():
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def sources() -> list[Path]:
    """Every file of ours on which a program depends."""
    tables = Path(toyisa.__file__).parent / "tables"
    return sorted([*Path(__file__).parent.glob("*.py"), *tables.glob("*.py")])


def _read(entry: Path) -> Program | None:
    """The program of an entry, if the entry is complete and its files are unchanged."""
    try:
        content = entry.read_bytes()
        head, _, elf = content.removeprefix(MAGIC).partition(b"\n")
        if not content.startswith(MAGIC):
            return None
        known = json.loads(head)
        if known["elf"] != _digest(elf):
            return None
        files, missing = dict(known["files"]), list(known["missing"])
        if any(map(os.path.isfile, missing)):
            return None
        if any(_digest_of(path) != digest for path, digest in files.items()):
            return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # it does not exist or is damaged: it is made again
    return Program(elf, tuple(files))


def _content(made: Program, missing: Sequence[str], began: int) -> bytes | None:
    """What an entry holds; None if a file may have changed while it was assembled."""
    files = {}
    for path in made.files:
        try:
            status = os.stat(path)
            if max(status.st_mtime_ns, status.st_ctime_ns) > began - GRAIN:
                return None
            files[path] = _digest_of(path)
        except OSError:
            return None
    if None in files.values() or len(made.elf) > LARGEST:
        return None
    head = {"files": files, "missing": list(missing), "elf": _digest(made.elf)}
    return MAGIC + json.dumps(head).encode() + b"\n" + made.elf


def _digest_of(path: str) -> str | None:
    """The digest of a file's content; None if it is not a regular file or too large; OSError."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        return None
    state = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
    held = _digests.get(path)
    if held is None or held[0] != state:
        with open(path, "rb") as file:
            held = _digests[path] = (state, _digest(file.read(LARGEST + 1)))
    return held[1]


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _write(entry: Path, content: bytes) -> None:
    """Write an entry so that another process sees all of it or nothing; OSError."""
    partial = entry.with_name(f"{entry.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, entry)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def _prune(directory: Path) -> None:
    """Delete the entries that were used longest ago, until the others are within the limits."""
    found = sorted(_entries(directory, _NAME), key=lambda each: -each[1].st_mtime)
    total = 0
    for n, (path, status) in enumerate(found):
        total += status.st_size
        if n >= MOST or total > ROOM:
            path.unlink(missing_ok=True)
    for path, status in _entries(directory, _PARTIAL):  # a process died while it wrote this
        if time.time() - status.st_mtime > OLD:
            path.unlink(missing_ok=True)


def _entries(directory: Path, name: re.Pattern[str]) -> Iterator[tuple[Path, os.stat_result]]:
    """The regular files whose name matches, with their status."""
    try:
        found = list(os.scandir(directory))
    except OSError:  # the directory does not exist
        return
    for each in found:
        with contextlib.suppress(OSError):
            if name.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                yield Path(each.path), each.stat(follow_symlinks=False)
