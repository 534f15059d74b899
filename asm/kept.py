"""Answers for assembled programs that are kept on disk, so that none is assembled twice.

An entry is named by a digest of the source's name, how it is assembled, and the
assembler's own files.  It lists each file that was read with a digest of its content, and
each place where a file was looked for in vain; it serves while all of that is as it was.
Must not know what runs the programs, nor where they are kept: the caller names a directory.
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
MOST = 400  # entries: the examples, in every way they are built, are some 60
ROOM = 64 << 20  # bytes that all entries may take; the oldest go first
LARGEST = 16 << 20  # bytes of a program that is kept, or of a file that it is made of
GRAIN = 1_000_000_000  # nanoseconds by which the clock of a file system may be late
OLD = 3600  # seconds after which a file that is half written belongs to nobody
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
    """A source's program, out of `directory` if it is kept there and nothing has changed.

    Raises AsmErrors, as `assemble`.  Without a directory, or where one cannot be written
    to, it is assembled each time.
    """
    if directory is None:
        return _assembled(source, include_dirs, defines)[0]
    entry = directory / _name(source, include_dirs, defines)
    if (found := _read(entry)) is not None:
        with contextlib.suppress(OSError):
            os.utime(entry)  # used now, for `_prune`
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
    """How many programs are kept there, and their bytes."""
    found = [status.st_size for _, status in _entries(directory, _NAME)]
    return len(found), sum(found)


def clear(directory: Path) -> int:
    """Delete the programs that are kept there, and nothing else; how many bytes that was."""
    gone = 0
    for path, status in [*_entries(directory, _NAME), *_entries(directory, _PARTIAL)]:
        with contextlib.suppress(OSError):
            with path.open("rb") as file:
                ours = file.read(len(MAGIC)) == MAGIC
            if ours:
                path.unlink()
                gone += status.st_size
    with contextlib.suppress(OSError):  # it is not empty, or was never made
        directory.rmdir()
    return gone


def _assembled(source: Path, include_dirs: Sequence[Path],
               defines: Mapping[str, int] | None) -> tuple[Program, list[str]]:  # fmt: skip
    """The program, and the places where a file was looked for in vain."""
    from asm.assembler import assemble  # takes time, which finished programs need not

    made = assemble(source, include_dirs=include_dirs, defines=defines)
    return Program(made.elf(), tuple(made.files)), sorted(made.missing)


def _name(source: Path, include_dirs: Sequence[Path], defines: Mapping[str, int] | None) -> str:
    """What the entry is called: a digest of all that says how it is made, but for the files."""
    how = (os.getcwd(), str(source), [str(path) for path in include_dirs],
           sorted((defines or {}).items()))  # fmt: skip
    text = repr((_assembler(), how)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).hexdigest() + ".elf"


@cache
def _assembler() -> str:
    """A digest of the assembler: its own files, the tables that it reads, and Python."""
    digest = hashlib.blake2b(repr(sys.version_info).encode(), digest_size=16)
    for path in sources():
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def sources() -> list[Path]:
    """Every file of ours that a program depends on."""
    tables = Path(toyisa.__file__).parent / "tables"
    return sorted([*Path(__file__).parent.glob("*.py"), *tables.glob("*.py")])


def _read(entry: Path) -> Program | None:
    """The program of an entry, if it is whole and its files are as they were."""
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
        return None  # it is not there, or damaged: it is made anew
    return Program(elf, tuple(files))


def _content(made: Program, missing: Sequence[str], began: int) -> bytes | None:
    """What an entry holds; None if it cannot be known that a file is what was assembled."""
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
    """The digest of a regular file's content; None if it is none, or too large; OSError."""
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
    """Write an entry whole: another process sees all of it or none; OSError."""
    partial = entry.with_name(f"{entry.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, entry)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def _prune(directory: Path) -> None:
    """Delete what was used longest ago, until the rest is within bounds."""
    found = sorted(_entries(directory, _NAME), key=lambda each: -each[1].st_mtime)
    total = 0
    for n, (path, status) in enumerate(found):
        total += status.st_size
        if n >= MOST or total > ROOM:
            path.unlink(missing_ok=True)
    for path, status in _entries(directory, _PARTIAL):  # a process died while it wrote
        if time.time() - status.st_mtime > OLD:
            path.unlink(missing_ok=True)


def _entries(directory: Path, name: re.Pattern[str]) -> Iterator[tuple[Path, os.stat_result]]:
    """The regular files with such a name, and what is known of each."""
    try:
        found = list(os.scandir(directory))
    except OSError:  # it was never made
        return
    for each in found:
        with contextlib.suppress(OSError):
            if name.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                yield Path(each.path), each.stat(follow_symlinks=False)
