"""Answers for a snapshot as a file: one format, checked before it is believed.

A file is written beside its name and then renamed, so that whenever the process
dies the name holds the old file or the new one.  Must not know what the state
means (`snapshot.py`).

    "toyvmm snapshot\\n"  format: u32  length: u64  body (zlib)      sha256 of all that

    body   length: u32, JSON, the hart, the memory record's fields, frame flags,
           numbers of the frames that are not zero (u32 each), those frames,
           the sectors that overlays hold, disk by disk
"""

import base64
import hashlib
import json
import os
import struct
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toyisa import snapdisk, snapshot
from toyisa.disk import SECTOR
from toyisa.memory import MEMORY, PAGE
from toyisa.snapshot import KEPT_FIELDS, Snapshot, SnapshotError
from toyisa.state import HART

if TYPE_CHECKING:
    from toyisa.machine import Machine

MAGIC = b"toyvmm snapshot\n"
FORMAT = 2
_HEAD = struct.Struct("<16sIQ")
_SUM = 32


def write(path: Path, state: Snapshot) -> None:
    """Write `state` to `path`, whole and on the disk, or not at all; OSError."""
    data = dump(state)
    target = path.resolve()  # a link stays a link
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o600)  # it holds all that the guest knows
        os.replace(partial, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise
    with suppress(OSError):  # some file systems cannot: the name may be lost, no content
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read(path: Path) -> Snapshot:
    """The snapshot in a file; SnapshotError, which names the file, if it cannot be used."""
    try:
        return load(path.read_bytes())
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SnapshotError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def put(path: Path, saved: Snapshot, machine: "Machine") -> None:
    """Make `machine` what is `saved` in the file `path`; SnapshotError, which names it."""
    try:
        snapshot.put(saved, machine)
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from None


def layout() -> str:
    """A digest of the state's layout: who has another cannot read our snapshots."""
    kept = [(name, MEMORY[name].descr) for name in KEPT_FIELDS]
    return hashlib.sha256(repr((HART.descr, kept)).encode()).hexdigest()


def dump(state: Snapshot) -> bytes:
    """The file's bytes."""
    meta = {
        "layout": layout(),
        "config": state.config,
        "symbols": state.symbols,
        "input": base64.b64encode(state.input).decode(),
        "output": base64.b64encode(state.output).decode(),
        "ended": state.ended,
        "pages": len(state.pages),
        "disks": [snapdisk.to_json(disk) for disk in state.disks],
    }
    text = json.dumps(meta).encode()
    pack = zlib.compressobj(1)
    parts = [struct.pack("<I", len(text)), text, state.hart]
    parts += [state.memory[name] for name in KEPT_FIELDS]
    parts += [state.flags, np.array(list(state.pages), "<u4").tobytes()]
    parts += [*state.pages.values(), *(s for disk in state.disks for s in disk.written.values())]
    body = b"".join(map(pack.compress, parts))
    body += pack.flush()
    data = _HEAD.pack(MAGIC, FORMAT, len(body)) + body
    return data + hashlib.sha256(data).digest()


def load(data: bytes) -> Snapshot:
    """The snapshot in a file's bytes; SnapshotError."""
    if not data.startswith(MAGIC):
        raise SnapshotError("is not a snapshot")
    if len(data) < _HEAD.size + _SUM:
        raise SnapshotError("is truncated")
    _, number, length = _HEAD.unpack_from(data)
    if number != FORMAT:
        raise SnapshotError(f"has snapshot format {number}, this toyvmm reads {FORMAT}")
    if len(data) != _HEAD.size + length + _SUM:
        raise SnapshotError("is truncated" if len(data) < length else "is damaged: wrong length")
    if hashlib.sha256(data[:-_SUM]).digest() != data[-_SUM:]:
        raise SnapshotError("is damaged: its checksum is wrong")
    try:
        return _unpack(zlib.decompress(data[_HEAD.size : -_SUM]))
    except (zlib.error, struct.error, KeyError, TypeError, ValueError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError("is damaged: its content makes no sense") from None


def _unpack(body: bytes) -> Snapshot:
    (length,) = struct.unpack_from("<I", body)
    at = 4

    def piece(size: int) -> bytes:
        nonlocal at
        at += size
        if at > len(body):
            raise SnapshotError("is damaged: its content is too short")
        return body[at - size : at]

    meta = json.loads(piece(length))
    if meta["layout"] != layout():
        raise SnapshotError("was saved by another version of toyvmm, whose machine differs")
    hart = piece(HART.itemsize)
    memory = {name: piece(MEMORY[name].itemsize) for name in KEPT_FIELDS}
    flags = piece(meta["config"]["mem"] // PAGE)
    frames = np.frombuffer(piece(4 * meta["pages"]), "<u4")
    pages = {int(frame): piece(PAGE) for frame in frames}
    disks = tuple(
        snapdisk.from_json(disk, {int(number): piece(SECTOR) for number in disk["written"]})
        for disk in meta["disks"]
    )
    return Snapshot(
        config=meta["config"],
        hart=hart,
        memory=memory,
        flags=flags,
        pages=pages,
        symbols=tuple((int(address), str(name)) for address, name in meta["symbols"]),
        input=base64.b64decode(meta["input"]),
        ended=bool(meta["ended"]),
        output=base64.b64decode(meta["output"]),
        disks=disks,
    )
