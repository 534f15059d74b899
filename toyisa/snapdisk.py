"""Answers for a virtio disk in a snapshot: the device's state, and which disk it needs.

The disk's content is not in the snapshot, only what an overlay holds of it.  In a
file its digest stands for the image, so that a machine goes on with no other.  Must
not know files' formats (`snapfile.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from toyisa.overlay import Overlay
from toyisa.virtio import LEGACY, Device, State
from toyisa.virtqueue import Queue


class SnapshotError(ValueError):
    """A snapshot that cannot be used; one line says which and why."""


@dataclass(frozen=True)
class SavedDisk:
    """A device as it was.

    `digest` is the image's; "" within a process, which only reads it meanwhile.
    """

    version: int
    name: str
    read_only: bool
    sectors: int
    state: State
    written: Mapping[int, bytes]
    digest: str = ""

    @property
    def legacy(self) -> bool:
        """Whether the guest sees the registers of before virtio 1.0."""
        return self.version == LEGACY


def take(device: Device) -> SavedDisk:
    """The state of a device and of its disk, which go on unchanged."""
    block, disk = device.backend, device.backend.disk
    written = dict(disk.written) if isinstance(disk, Overlay) else {}
    state = _copy(device.state)
    return SavedDisk(device.version, block.name, disk.read_only, disk.sectors, state, written)


def sealed(saved: SavedDisk, device: Device) -> SavedDisk:
    """The same, with the image's digest, to be put back in another process; OSError."""
    return replace(saved, digest=device.backend.disk.digest())


def put(saved: SavedDisk, device: Device) -> None:
    """Make a device what was saved; after `refuse_other` has found nothing."""
    device.state = _copy(saved.state)
    device.backend.name = saved.name  # the guest can read it
    if isinstance(device.backend.disk, Overlay):
        device.backend.disk.written = dict(saved.written)


def refuse_other(saved: SavedDisk, device: Device) -> None:
    """SnapshotError if the device, or its disk, is another than the one saved."""
    disk = device.backend.disk
    overlaid = isinstance(disk, Overlay)
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
        raise SnapshotError(f"cannot take back what was written to {disk.name} since")


def to_json(saved: SavedDisk) -> dict:
    """All but the content of the sectors written, which lie behind their numbers."""
    return asdict(replace(saved, written={})) | {"written": list(saved.written)}


def from_json(data: dict, sector: Mapping[int, bytes]) -> SavedDisk:
    """The inverse, given the sectors' content; TypeError, KeyError or ValueError."""
    state = dict(data["state"])
    queue = Queue(**state.pop("queue"))
    state = State(**state, queue=queue)
    numbers = (*vars(queue).values(), *(v for v in vars(state).values() if v is not queue))
    if not all(isinstance(number, int) and 0 <= number < 1 << 64 for number in numbers):
        raise ValueError("a register is not a number")
    return SavedDisk(
        version=int(data["version"]), name=str(data["name"]), read_only=bool(data["read_only"]),
        sectors=int(data["sectors"]), state=state, written=sector, digest=str(data["digest"]),
    )  # fmt: skip


def _copy(state: State) -> State:
    return replace(state, queue=replace(state.queue))
