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
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from toyisa.core.memory import PAGE, new_ram
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


def read(path: Path, room: Callable[[dict], np.ndarray] | None = None) -> Snapshot:
    """Read the snapshot in a file; SnapshotError, which names the file, if it cannot be used.

    `room` gives RAM that is zero for a machine of a configuration: the pages are read into it,
    each to its place.  Without it, memory of their own is used.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for its other end.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return _load(file, room or (lambda config: new_ram(config["mem"]).view(np.uint8)))
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SnapshotError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


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
        "output": len(state.output), "pages": sum(map(len, state.pages.values())) // PAGE,
        "disks": [snapdisk.to_json(disk) for disk in state.disks],
    }  # fmt: skip


def assemble(meta: Any, content: Iterable[Piece]) -> Iterator[Piece]:
    """A file of this JSON and this content, whatever they are; SnapshotError."""
    text = json.dumps(meta).encode()
    body = [struct.pack("<I", len(text)), *_packed([text])]
    size = 0
    for chunk in _chunks(content):
        size += sum(map(len, chunk))
        body += _packed(chunk)
        if len(text) > MAX_JSON or size > MAX_CONTENT:
            raise SnapshotError("more than a snapshot can hold")
    head = _HEAD.pack(MAGIC, FORMAT, sum(map(len, body)))
    total = hashlib.sha256()
    for part in (head, *body):  # it is written while it is still in the processor's cache
        total.update(part)
        yield part
    yield total.digest()


def contents(state: Snapshot) -> Iterator[Piece]:
    """The parts after the JSON, in order."""
    yield state.fields
    yield state.input
    yield state.output
    numbers = [range(first, first + len(run) // PAGE) for first, run in state.pages.items()]
    yield np.fromiter(chain.from_iterable(numbers), "<u4").tobytes()
    yield from state.pages.values()
    for disk in state.disks:
        yield from (disk.written[number] for number in sorted(disk.written))


def _chunks(content: Iterable[Piece]) -> Iterator[list[memoryview]]:
    """The same bytes, CHUNK at a time; none are copied."""
    held: list[memoryview] = []
    room = CHUNK
    for piece in content:
        rest = memoryview(piece)
        while len(rest) >= room:
            yield [*held, rest[:room]]
            held, rest, room = [], rest[room:], CHUNK
        if rest:
            held.append(rest)
            room -= len(rest)
    if held:
        yield held


def _packed(parts: list[Piece]) -> tuple[Piece, Piece]:
    """A piece: compressed, unless a sample shows that little would be gained."""
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    step = max(len(data) // _SAMPLES, _SAMPLE)
    sample = b"".join(data[at : at + _SAMPLE] for at in range(0, len(data), step))
    if len(zlib.compress(sample, 1)) <= 0.9 * len(sample):
        packed = zlib.compress(data, 1)
        if len(packed) < len(data):
            return struct.pack("<I", len(packed)), packed
    return struct.pack("<I", len(data) | STORED), data


# -- reading -------------------------------------------------------------------


class _Body:
    """The body of a file of which `total` has the sum so far, read from its beginning;
    SnapshotError.
    """

    def __init__(self, file: BinaryIO, size: int, total: Any):
        self.file, self.size, self.left, self.total = file, size, size, total

    def fill(self, room: memoryview) -> None:
        """Read the next bytes, as many as there is room for."""
        if len(room) > self.left:
            raise SnapshotError("is damaged: its content is too short")
        if self.file.readinto(room) != len(room):
            raise SnapshotError("is truncated")  # meanwhile
        self.total.update(room)
        self.left -= len(room)

    def take(self, size: int) -> bytearray:
        if size > self.left:
            raise SnapshotError("is damaged: its content is too short")
        data = bytearray(size)
        self.fill(memoryview(data))
        return data

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def piece(self, size: int) -> bytes | None:
        """The content of a piece, which must be `size` bytes: never more are inflated.  None if
        it is stored: then `size` bytes follow.
        """
        length = self.number()
        if length & STORED:
            if length ^ STORED != size:
                raise SnapshotError("is damaged: a piece is of another length")
            return None
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(self.take(length), size + 1)
        except zlib.error:
            raise SnapshotError("is damaged: a piece is not zlib's") from None
        if len(data) != size or not unpack.eof or unpack.unused_data:
            raise SnapshotError("is damaged: a piece is of another length")
        return data

    def finish(self) -> None:
        """Read what is left, and compare the checksum."""
        room = memoryview(bytearray(min(CHUNK, self.left)))
        while self.left:
            self.fill(room[: self.left])
        if self.file.read(_SUM) != self.total.digest():
            raise SnapshotError("is damaged: its checksum is wrong")


class _Content:
    """The `size` bytes that pieces of CHUNK bytes hold together, read from their beginning.

    Stored content is read straight to where it belongs, which for a page is RAM.  A buffer
    between them would be new memory, and to touch that may cost more than all other work.
    """

    def __init__(self, body: _Body, size: int):
        if size > MAX_CONTENT or size > MAX_RATIO * body.size:
            raise SnapshotError("is damaged: it claims more than it can hold")
        self.body, self.left = body, size
        self.here = 0  # bytes of the present piece that were not read yet
        self.inflated: memoryview | None = None  # these bytes; None if they are stored

    def fill(self, room: memoryview) -> None:
        while len(room):
            if not self.here:
                self.here = min(CHUNK, self.left)
                self.left -= self.here
                data = self.body.piece(self.here)
                self.inflated = None if data is None else memoryview(data)
            part = room[: self.here]
            if self.inflated is None:
                self.body.fill(part)
            else:
                part[:], self.inflated = self.inflated[: len(part)], self.inflated[len(part) :]
            self.here -= len(part)
            room = room[len(part) :]

    def take(self, size: int) -> memoryview:
        room = memoryview(bytearray(size))
        self.fill(room)
        return room.toreadonly()


def _load(file: BinaryIO, room: Callable[[dict], np.ndarray]) -> Snapshot:
    """The snapshot in a file; everything but its fields is checked; SnapshotError.

    Each byte is read once, so nobody can change it after it was checked.  The checksum is known
    at the end: until then nobody has the snapshot.
    """
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise SnapshotError("is not a regular file")
    if status.st_size > MAX_CONTENT + MAX_JSON + (1 << 20):
        raise SnapshotError("is too large for a snapshot")
    head = file.read(_HEAD.size)
    if not head.startswith(MAGIC):
        raise SnapshotError("is not a snapshot")
    if len(head) < _HEAD.size or status.st_size < _HEAD.size + _SUM:
        raise SnapshotError("is truncated")
    _, number, length = _HEAD.unpack(head)
    if number != FORMAT:
        raise SnapshotError(
            f"has snapshot format {number}, this toyvmm reads {FORMAT}; save it again"
        )
    if status.st_size != _HEAD.size + length + _SUM:
        truncated = status.st_size < _HEAD.size + length + _SUM
        raise SnapshotError("is truncated" if truncated else "is damaged: wrong length")
    body = _Body(file, length, hashlib.sha256(head))
    try:
        saved = _unpack(body, room)
    except (Refused, SnapshotError) as error:
        body.finish()  # if the checksum is wrong, too, that is why
        named = isinstance(error, Refused)
        raise SnapshotError(f"is damaged: {error}" if named else str(error)) from None
    body.finish()
    return saved


def _unpack(body: _Body, room: Callable[[dict], np.ndarray]) -> Snapshot:
    size = body.number()
    if size > min(MAX_JSON, MAX_RATIO * body.size):
        raise SnapshotError("is damaged: it claims more than it can hold")
    text = body.piece(size)
    value = snapmeta.parse(bytes(body.take(size)) if text is None else text)
    if value.get("layout") != layout():
        raise SnapshotError("was saved by another version of toyvmm, whose machine differs")
    meta = snapmeta.read(value)
    own = sum(len(numbers) for _, numbers in meta.disks)
    content = _Content(
        body, SAVED.itemsize + meta.input + meta.output + (4 + PAGE) * meta.pages + SECTOR * own
    )
    sizes = SAVED.itemsize, meta.input, meta.output, 4 * meta.pages
    fields, waiting, written, numbers = map(content.take, sizes)
    frames = np.frombuffer(numbers, "<u4").astype(np.int64)
    if frames.size and (frames[-1] >= meta.config["mem"] // PAGE or (np.diff(frames) <= 0).any()):
        raise SnapshotError("is damaged: its pages are not pages of RAM, in order")
    ram, pages = memoryview(room(meta.config)), {}
    for first, end in snapshot.runs(frames):
        pages[first] = ram[first * PAGE : end * PAGE].toreadonly()
        content.fill(ram[first * PAGE : end * PAGE])
    taken = map(content.take, repeat(SECTOR, own))
    disks = tuple(snapdisk.with_sectors(disk, numbers, taken) for disk, numbers in meta.disks)
    if body.left:
        raise SnapshotError("is damaged: something follows its content")
    return Snapshot(
        meta.config, meta.program, fields, pages, meta.symbols, waiting, meta.ended, written, disks
    )
