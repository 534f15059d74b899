"""Answers for a snapshot as a file: one format, of which nothing is used unchecked.

A file is written under another name and then renamed.  So whenever the process dies, the name
holds the old file or the new one.  Must not know what the state means (`snapshot.py`).

    "toyvmm snapshot\\n"  format: u32  length: u64  body         sha256 of all that

    body   length: u32, a piece that is JSON: what there is, and how much;
           then pieces of CHUNK bytes each but the last, which hold together
           the fields of `snapfields.py`, console input and output not yet taken,
           numbers of the frames that are not zero (u32 each), those frames,
           the sectors that overlays hold, disk by disk
    piece  length: u32, with STORED if what follows is the content, else it is zlib

The checksum finds damage, but not malice: whoever makes a file can make its checksum.  Sizes
are limited before anything is inflated, and each value is checked before it is used.
"""

import hashlib
import json
import os
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np

from toyisa.core.memory import PAGE
from toyisa.devices.disk import SECTOR
from toyisa.files import writing
from toyisa.snapshots import snapchecks, snapdisk, snapmeta, snapshot
from toyisa.snapshots.snapchecks import Illegal
from toyisa.snapshots.snapfields import SAVED
from toyisa.snapshots.snapjson import Refused
from toyisa.snapshots.snapshot import Piece, Snapshot, SnapshotError, Whole

MAGIC = b"toyvmm snapshot\n"
FORMAT = 3  # 1 and 2 held images of records, and are not accepted any more
CHUNK = 1 << 18
STORED = 1 << 31
MAX_JSON = 64 << 20   # bytes; most of them are symbols
MAX_CONTENT = 5 << 30  # bytes of the pieces together: all of RAM, and an overlay
MAX_RATIO = 1040      # how much larger zlib's output can be than its input
_HEAD = struct.Struct("<16sIQ")
_SUM = 32
# How many places of a chunk are tried, and how many bytes there, to see whether zlib gains anything
_SAMPLES, _SAMPLE = 8, 512


def write(path: Path, state: Snapshot) -> None:
    """Write `state` to `path`, completely and on the disk, or not at all; OSError,
    SnapshotError.
    """
    # Only for the user: it holds everything that the guest knows
    writing.write(path, parts(state), mode=0o600, durable=True)


def read(path: Path) -> Snapshot:
    """Read the snapshot in a file; SnapshotError, which names the file, if it cannot be used."""
    try:
        return load(_content(path))
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SnapshotError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _content(path: Path) -> bytes:
    """The bytes of a regular file of a size that a snapshot can have."""
    # Without O_NONBLOCK, opening a named pipe would wait for its other end.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SnapshotError("is not a regular file")
        if status.st_size > MAX_CONTENT + MAX_JSON + (1 << 20):
            raise SnapshotError("is too large for a snapshot")
        return file.read(status.st_size)


def put(path: Path, saved: Snapshot, machine: Whole) -> None:
    """Give `machine` the state `saved` from the file `path`; SnapshotError, which names it."""
    try:
        snapshot.refuse_mismatch(saved.config, snapshot.config_of(machine))
        snapchecks.check(saved.fields, machine.ram.size, machine.hart)
        snapshot.put(saved, machine)
    except Illegal as error:
        raise SnapshotError(f"{path}: is damaged: {error}") from None
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None


def layout() -> str:
    """A digest of the layout of what is saved: another version with another layout cannot read
    our snapshots.
    """
    return hashlib.sha256(repr(SAVED.descr).encode()).hexdigest()


# -- writing -------------------------------------------------------------------


def dump(state: Snapshot) -> bytes:
    """The file's bytes; SnapshotError."""
    return b"".join(parts(state))


def parts(state: Snapshot) -> Iterator[Piece]:
    """The file's bytes, part by part; SnapshotError."""
    return assemble(meta_of(state), contents(state))


def meta_of(state: Snapshot) -> dict:
    """The content of the file's JSON, which `snapmeta.py` reads."""
    return {
        "layout": layout(), "config": state.config, "program": state.program,
        "symbols": state.symbols, "ended": state.ended, "input": len(state.input),
        "output": len(state.output), "pages": len(state.pages),
        "disks": [snapdisk.to_json(disk) for disk in state.disks],
    }  # fmt: skip


def assemble(meta: Any, content: Iterable[Piece]) -> Iterator[Piece]:
    """A file of this JSON and this content, whatever they are; SnapshotError."""
    text = json.dumps(meta).encode()
    body = [struct.pack("<I", len(text)), *_packed(text)]
    size = 0
    for chunk in _chunks(content):
        size += len(chunk)
        body += _packed(chunk)
        if len(text) > MAX_JSON or size > MAX_CONTENT:
            raise SnapshotError("more than a snapshot can hold")
    head = _HEAD.pack(MAGIC, FORMAT, sum(map(len, body)))
    total = hashlib.sha256(head)
    for part in body:
        total.update(part)
    yield head
    yield from body
    yield total.digest()


def contents(state: Snapshot) -> Iterator[Piece]:
    """The parts after the JSON, in order."""
    yield state.fields
    yield state.input
    yield state.output
    yield np.array(list(state.pages), "<u4").tobytes()
    yield from state.pages.values()
    for disk in state.disks:
        yield from (disk.written[number] for number in sorted(disk.written))


def _chunks(content: Iterable[Piece]) -> Iterator[bytes]:
    """The same bytes, CHUNK at a time."""
    held: list[Piece] = []
    size = 0
    for piece in content:
        held.append(piece)
        size += len(piece)
        while size >= CHUNK:
            whole = b"".join(held)
            yield whole[:CHUNK]
            held, size = [whole[CHUNK:]], size - CHUNK
    if size:
        yield b"".join(held)


def _packed(data: bytes) -> tuple[bytes, bytes]:
    """A piece: compressed, unless a sample shows that little would be gained."""
    step = max(len(data) // _SAMPLES, _SAMPLE)
    sample = b"".join(data[at : at + _SAMPLE] for at in range(0, len(data), step))
    if len(zlib.compress(sample, 1)) <= 0.9 * len(sample):
        packed = zlib.compress(data, 1)
        if len(packed) < len(data):
            return struct.pack("<I", len(packed)), packed
    return struct.pack("<I", len(data) | STORED), data


# -- reading -------------------------------------------------------------------


class _Body:
    """The body of a file, read from its beginning; SnapshotError."""

    def __init__(self, data: memoryview):
        self.data, self.at = data, 0

    def take(self, size: int) -> memoryview:
        self.at += size
        if self.at > len(self.data):
            raise SnapshotError("is damaged: its content is too short")
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def piece(self, size: int) -> Piece:
        """A piece that must hold `size` bytes: never more are inflated."""
        length = self.number()
        if length & STORED:
            if length ^ STORED != size:
                raise SnapshotError("is damaged: a piece is of another length")
            return self.take(size)
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(self.take(length), size + 1)
        except zlib.error:
            raise SnapshotError("is damaged: a piece is not zlib's") from None
        if len(data) != size or not unpack.eof or unpack.unused_data:
            raise SnapshotError("is damaged: a piece is of another length")
        return data

    def pieces(self, size: int) -> memoryview:
        """The content of as many pieces as `size` bytes need."""
        if size > MAX_CONTENT or size > MAX_RATIO * len(self.data):
            raise SnapshotError("is damaged: it claims more than it can hold")
        content = memoryview(bytearray(size))
        for at in range(0, size, CHUNK):
            end = min(at + CHUNK, size)
            content[at:end] = self.piece(end - at)
        return content.toreadonly()


def load(data: bytes) -> Snapshot:
    """The snapshot in a file's bytes; everything but its fields is checked; SnapshotError."""
    if not data.startswith(MAGIC):
        raise SnapshotError("is not a snapshot")
    if len(data) < _HEAD.size + _SUM:
        raise SnapshotError("is truncated")
    _, number, length = _HEAD.unpack_from(data)
    if number != FORMAT:
        raise SnapshotError(
            f"has snapshot format {number}, this toyvmm reads {FORMAT}; save it again"
        )
    if len(data) != _HEAD.size + length + _SUM:
        raise SnapshotError("is truncated" if len(data) < length else "is damaged: wrong length")
    view = memoryview(data)
    if hashlib.sha256(view[:-_SUM]).digest() != data[-_SUM:]:
        raise SnapshotError("is damaged: its checksum is wrong")
    try:
        return _unpack(_Body(view[_HEAD.size : -_SUM]))
    except Refused as error:
        raise SnapshotError(f"is damaged: {error}") from None


def _unpack(body: _Body) -> Snapshot:
    size = body.number()
    if size > min(MAX_JSON, MAX_RATIO * len(body.data)):
        raise SnapshotError("is damaged: it claims more than it can hold")
    value = snapmeta.parse(bytes(body.piece(size)))
    if value.get("layout") != layout():
        raise SnapshotError("was saved by another version of toyvmm, whose machine differs")
    meta = snapmeta.read(value)
    sectors = [numbers for _, numbers in meta.disks]
    sizes = [
        SAVED.itemsize, meta.input, meta.output, 4 * meta.pages,
        *repeat(PAGE, meta.pages), *repeat(SECTOR, sum(map(len, sectors))),
    ]  # fmt: skip
    content = body.pieces(sum(sizes))
    if body.at != len(body.data):
        raise SnapshotError("is damaged: something follows its content")
    ends = np.cumsum([0, *sizes]).tolist()
    cut = iter([content[a:b] for a, b in pairwise(ends)])
    fields, waiting, written, numbers = next(cut), next(cut), next(cut), next(cut)
    frames = np.frombuffer(numbers, "<u4").astype(np.int64)
    if frames.size and (frames[-1] >= meta.config["mem"] // PAGE or (np.diff(frames) <= 0).any()):
        raise SnapshotError("is damaged: its pages are not pages of RAM, in order")
    pages = dict(zip(frames.tolist(), cut))
    disks = tuple(snapdisk.with_sectors(disk, own, cut) for disk, own in meta.disks)
    return Snapshot(
        meta.config, meta.program, fields, pages, meta.symbols, waiting, meta.ended, written, disks
    )
