"""Answers for a machine's whole state as a value: taken at a stop, and put back.

Of the two records it holds what `snapfields.py` lists; everything else is made again.  The
modelled TLBs, the reservation, the clock and all counts are kept.  So a machine that is put
back goes on to the same cycle as one that was never stopped.  Must not know files
(`snapfile.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import numpy as np

from toyisa.core.decodepool import fold_all
from toyisa.core.memory import PAGE
from toyisa.devices.bus import Bus
from toyisa.snapshots import snapdisk, snapfields
from toyisa.snapshots.snapdisk import SavedDisk, SnapshotError
from toyisa.tables.cost import CostModel

Piece = bytes | memoryview


class Whole(Protocol):
    """A machine whose state can be taken and put back."""

    hart: np.record
    memory: np.record
    ram: np.ndarray
    bus: Bus
    cost: CostModel
    clock: str
    program: str
    reason: str
    symbols: tuple[tuple[int, str], ...]
    _input: bytearray
    _output: bytearray
    _ended: bool


@dataclass(frozen=True)
class Snapshot:
    """The state of a stopped machine.

    `pages` are the frames of RAM that are not zero: by a frame's number its content, and
    perhaps that of frames that follow it.
    `config` is what the machine was made with.  `program` is the digest of what was loaded
    into it, or "".  `fields` is what `snapfields.py` gathers.  `input` and `output` are
    console bytes that were not taken yet.
    """

    config: dict
    program: str
    fields: Piece
    pages: Mapping[int, Piece]
    symbols: tuple[tuple[int, str], ...]
    input: Piece
    ended: bool
    output: Piece
    disks: tuple[SavedDisk, ...]


def config_of(machine: Whole) -> dict:
    """The machine's configuration as plain values: two machines must agree in it to share a
    state.
    """
    return {
        "mem": int(machine.memory.ram_size),
        "profile": int(machine.hart.root.profile),
        "clock": machine.clock,
        "svade": bool(machine.hart.root.svade),
        "cost": asdict(machine.cost),
    }


def take(machine: Whole, previous: Snapshot | None = None) -> Snapshot:
    """The state of `machine`, which goes on unchanged; it shares equal pages with `previous`."""
    now = view(machine)
    return replace(now, pages=_copied(now.pages, previous.pages if previous else {}))


def view(machine: Whole) -> Snapshot:
    """The same without a copy of RAM: it is the machine's state only until RAM changes."""
    machine.bus.finish()
    fold_all(machine.hart, machine.memory)  # until then the counts are in the pool
    ram, frames = memoryview(machine.ram).toreadonly(), _filled(machine.ram)
    return Snapshot(
        config=config_of(machine),
        program=machine.program,
        fields=snapfields.gather(machine.hart, machine.memory),
        pages={first: ram[first * PAGE : end * PAGE] for first, end in runs(frames)},
        symbols=machine.symbols,
        input=bytes(machine._input),
        ended=machine._ended,
        output=bytes(machine._output),
        disks=tuple(map(snapdisk.take, machine.bus.devices)),
    )


def sealed(snapshot: Snapshot, machine: Whole) -> Snapshot:
    """The same with its disks identified by content, so that another process can use it;
    OSError.
    """
    disks = tuple(map(snapdisk.sealed, snapshot.disks, machine.bus.devices))
    return replace(snapshot, disks=disks)


def put(snapshot: Snapshot, machine: Whole) -> None:
    """Give `machine` the state in `snapshot`; SnapshotError if it is another machine.

    The snapshot is from this process, or `snapfile.py` has checked it.
    """
    refuse_mismatch(snapshot.config, config_of(machine))
    machine.bus.forget()
    refuse_other_disks(snapshot, machine)
    snapfields.scatter(snapshot.fields, machine.hart, machine.memory)
    _put_pages(snapshot.pages, machine.ram)
    machine.program = snapshot.program
    machine.symbols = snapshot.symbols
    machine._input, machine._output = bytearray(snapshot.input), bytearray(snapshot.output)
    machine._ended = snapshot.ended
    machine.reason = ""
    for saved, device in zip(snapshot.disks, machine.bus.devices):
        snapdisk.put(saved, device)
    machine.bus.drive_lines()


def refuse_mismatch(saved: Mapping, wanted: Mapping) -> None:
    """SnapshotError if a snapshot's configuration is not the `wanted` one."""
    for key, value in wanted.items():
        if saved[key] == value:
            continue
        if key == "cost":
            old, new = saved[key]["name"], value["name"]
            other = f"not with {new!r}" if old != new else "whose prices have changed since"
            raise SnapshotError(f"was saved with the cost preset {old!r}, {other}")
        raise SnapshotError(f"was saved with {key} {saved[key]}, not {value}")


def refuse_other_disks(snapshot: Snapshot, machine: Whole) -> None:
    """SnapshotError if the machine's disks are not those that the snapshot needs."""
    saved, given = snapshot.disks, machine.bus.devices
    if len(saved) != len(given):
        names = f" ({', '.join(disk.name for disk in saved)})" if saved else ""
        plural = "" if len(saved) == 1 else "s"
        raise SnapshotError(f"was saved with {len(saved)} disk{plural}{names}, not {len(given)}")
    for disk, device in zip(saved, given):
        snapdisk.refuse_other(disk, device)


def _filled(ram: np.ndarray) -> np.ndarray:
    """The numbers of the frames that are not all zero."""
    return np.flatnonzero(ram.view(np.uint64).reshape(-1, PAGE // 8).any(axis=1))


def runs(frames: np.ndarray) -> list[tuple[int, int]]:
    """Where ascending frames follow one another: numbers of the first, and past the last."""
    if not frames.size:  # RAM is all zero
        return []
    breaks = np.diff(frames) != 1
    firsts, lasts = frames[np.r_[True, breaks]], frames[np.r_[breaks, True]]
    return list(zip(firsts.tolist(), (lasts + 1).tolist()))


def _copied(pages: Mapping[int, Piece], known: Mapping[int, Piece]) -> dict[int, Piece]:
    """Each page by itself; one that is the same in `known` is not copied."""
    copied: dict[int, Piece] = {}
    for first, run in pages.items():
        for frame in range(first, first + len(run) // PAGE):
            page = run[(frame - first) * PAGE : (frame - first + 1) * PAGE]
            old = known.get(frame)
            copied[frame] = old if old is not None and page == old else bytes(page)
    return copied


def _put_pages(pages: Mapping[int, Piece], ram: np.ndarray) -> None:
    """Make RAM these pages, and zero elsewhere.

    The pages come first, because a page of new memory costs less if it is not read before.
    """
    ours = np.zeros(ram.size // PAGE, bool)
    for first, run in pages.items():
        content = np.frombuffer(run, np.uint8)
        if not np.may_share_memory(content, ram):  # else it was read to its place
            ram[first * PAGE : first * PAGE + len(run)] = content
        ours[first : first + len(run) // PAGE] = True
    if not ours.all():
        filled = _filled(ram)
        ram.reshape(-1, PAGE)[filled[~ours[filled]]] = 0
