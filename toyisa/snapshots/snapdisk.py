"""Answers for a virtio disk in a snapshot: the device's state, and which disk it needs.

The snapshot does not have the disk's content, only the sectors of an overlay.  A file
holds the image's digest, so that a machine continues only with the same image.  Must not know
files' formats (`snapfile.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from toyisa.core.memory import VIRTIO_SLOTS
from toyisa.devices.overlay import Overlay
from toyisa.devices.virtio import LEGACY, MODERN, Device, State
from toyisa.devices.virtqueue import Queue
from toyisa.snapshots.snapjson import Checked, Refused

_WORD, _LONG = (1 << 32) - 1, (1 << 64) - 1
_PLACE = (1 << 66) - 1  # a legacy driver's frame number times its page size, with some room

# What each of a device's registers may hold: the largest value, or whether it is a truth value.
REGISTERS: dict[str, int | type[bool]] = {
    "status": _WORD, "interrupt": 3, "accepted": _LONG, "broken": bool, "selected": _WORD,
    "features_sel": _WORD, "accepted_sel": _WORD, "page_size": _WORD, "align": _WORD,
    "frame": _WORD,
}  # fmt: skip
QUEUE: dict[str, int | type[bool]] = {
    "size": _WORD, "ready": bool, "descriptors": _PLACE, "available": _PLACE, "used": _PLACE,
    "seen": 0xFFFF, "done": 0xFFFF,
}  # fmt: skip
MAX_SECTORS = 1 << 53
DIGEST = 64  # hex digits


class SnapshotError(ValueError):
    """A snapshot cannot be used; one line says which and why."""


@dataclass(frozen=True)
class SavedDisk:
    """A device as it was.

    `digest` is the image's; it is "" within a process, which only reads the image in between.
    """

    slot: int
    version: int
    name: str
    read_only: bool
    sectors: int
    state: State
    written: Mapping[int, bytes]
    digest: str = ""

    @property
    def legacy(self) -> bool:
        """Whether the guest sees the registers from before virtio 1.0."""
        return self.version == LEGACY


def take(device: Device) -> SavedDisk:
    """The state of a device and of its disk; both go on unchanged."""
    block, disk = device.backend, device.backend.disk
    written = dict(disk.written) if isinstance(disk, Overlay) else {}
    state = _copy(device.state)
    return SavedDisk(
        device.slot, device.version, block.name, disk.read_only, disk.sectors, state, written
    )


def sealed(saved: SavedDisk, device: Device) -> SavedDisk:
    """The same with the image's digest, so that another process can use it; OSError."""
    return replace(saved, digest=device.backend.disk.digest())


def put(saved: SavedDisk, device: Device) -> None:
    """Give a device the saved state; call `refuse_other` before."""
    device.state = _copy(saved.state)
    device.backend.name = saved.name  # the guest can read it
    if isinstance(device.backend.disk, Overlay):
        device.backend.disk.written = dict(saved.written)


def refuse_other(saved: SavedDisk, device: Device) -> None:
    """SnapshotError if the device, or its disk, is not the one that was saved."""
    disk = device.backend.disk
    overlaid = isinstance(disk, Overlay)
    if saved.slot != device.slot:
        raise SnapshotError(f"was saved with a disk in slot {saved.slot}, not {device.slot}")
    if saved.version != device.version:
        kinds = ("legacy", "modern") if saved.legacy else ("modern", "legacy")
        raise SnapshotError("was saved with a disk {}, not {}".format(*kinds))
    if saved.read_only != disk.read_only:
        was = "read-only" if saved.read_only else "writable"
        raise SnapshotError(f"was saved with {saved.name} {was}, which {disk.name} is not")
    if saved.sectors != disk.sectors:
        was = f"was saved with {saved.name} of {saved.sectors} sectors"
        raise SnapshotError(f"{was}, {disk.name} has {disk.sectors}")
    if saved.written and not overlaid:
        held = f"holds what the guest wrote to {saved.name}"
        raise SnapshotError(f"{held}, which needs it as `{disk.name},cow`")
    if saved.digest:
        try:
            same = saved.digest == disk.digest()
        except OSError as error:
            raise SnapshotError(f"cannot be compared with {disk.name}: {error.strerror}") from None
        if not same:
            raise SnapshotError(
                f"needs {saved.name} as it was when saved: the content of {disk.name} differs"
            )
    elif not overlaid and not disk.read_only:
        raise SnapshotError(f"cannot undo what was written to {disk.name} since")


def to_json(saved: SavedDisk) -> dict:
    """Everything except the content of the sectors; of these the numbers."""
    return asdict(replace(saved, written={})) | {"written": sorted(saved.written)}


def from_json(value: Any) -> tuple[SavedDisk, tuple[int, ...]]:
    """The inverse: a disk, and the numbers of its sectors; Refused."""
    disk = Checked(value, tuple(field.name for field in fields(SavedDisk)), "a disk")
    state = Checked(disk["state"], (*REGISTERS, "queue"), "a device")
    queue = Checked(state["queue"], tuple(QUEUE), "a queue")
    registers = {name: _register(state, name, most) for name, most in REGISTERS.items()}
    parts = {name: _register(queue, name, most) for name, most in QUEUE.items()}
    sectors = disk.number("sectors", 1, MAX_SECTORS)
    written = disk.items("written", sectors)
    for before, number in zip([-1, *written], written):
        if type(number) is not int or not before < number < sectors:
            raise Refused("the sectors written are not sectors of the disk, in order")
    digest = disk.text("digest", DIGEST)
    if len(digest) != DIGEST:
        raise Refused("digest is not that of an image")
    return SavedDisk(
        slot=disk.number("slot", 0, VIRTIO_SLOTS - 1),
        version=disk.number("version", LEGACY, MODERN), name=disk.text("name", 4096),
        read_only=disk.truth("read_only"), sectors=sectors,
        state=State(**registers, queue=Queue(**parts)), written={}, digest=digest,
    ), tuple(written)  # fmt: skip


def with_sectors(
    saved: SavedDisk, numbers: tuple[int, ...], content: Iterator[bytes | memoryview]
) -> SavedDisk:
    """The same with its overlay's sectors; `content` has one for each number."""
    return replace(saved, written={number: bytes(next(content)) for number in numbers})


def _register(state: Checked, name: str, most: int | type[bool]) -> int | bool:
    return state.truth(name) if most is bool else state.number(name, 0, int(most))


def _copy(state: State) -> State:
    return replace(state, queue=replace(state.queue))
