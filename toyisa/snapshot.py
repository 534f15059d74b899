"""Answers for a machine's whole state as a value: taken at a stop, and put back.

What only the host needs is left out and made anew: where RAM lies, the decode
pool, the MMU's fast tags.  The modelled TLBs, the page that instructions come
from, the reservation, the clock and all counts are kept, so that a machine put
back goes on to the same cycle as one that was never stopped.  Must not know files
(`snapfile.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toyisa import snapdisk
from toyisa.memory import CODE, MEMORY, PAGE, RX_SIZE, TX_SIZE
from toyisa.mmu import recontext
from toyisa.pool import flush_pool, fold_all
from toyisa.snapdisk import SavedDisk, SnapshotError
from toyisa.state import HART, NO_TAG

if TYPE_CHECKING:
    from toyisa.machine import Machine

# Fields of the memory record that say where things are on this host, or follow
# from RAM.  Whoever adds such a field to `memory.MEMORY`, adds it here.
HOST_FIELDS = frozenset((
    "execute", "serve", "manage_pool", "meter", "ram", "ram_size", "frame_flags", "slot", "owner",
    "slots", "free", "n_free", "stores", "flushes", "stale", "uops", "cum", "flow", "edge",
))  # fmt: skip
KEPT_FIELDS = tuple(name for name in MEMORY.names if name not in HOST_FIELDS)
FAST_TAGS = ("rtag", "wtag", "xtag")


@dataclass(frozen=True)
class Snapshot:
    """The state of a stopped machine; `pages` are the frames of RAM that are not zero.

    `memory` holds fields of the memory record, `flags` a byte for each frame, `config`
    what the machine was made with, `input` and `output` console bytes not yet taken.
    """

    config: dict
    hart: bytes
    memory: Mapping[str, bytes]
    flags: bytes
    pages: Mapping[int, bytes]
    symbols: tuple[tuple[int, str], ...]
    input: bytes
    ended: bool
    output: bytes
    disks: tuple[SavedDisk, ...]


def config_of(machine: "Machine") -> dict:
    """What a machine was made with, as plain values: two must agree to share a state."""
    return {
        "mem": int(machine.memory.ram_size),
        "profile": int(machine.hart.root.profile),
        "clock": machine.clock,
        "svade": bool(machine.hart.root.svade),
        "cost": asdict(machine.cost),
    }


def take(machine: "Machine", previous: Snapshot | None = None) -> Snapshot:
    """The state of `machine`, which goes on unchanged; shares equal pages with `previous`."""
    fold_all(machine.hart, machine.memory)  # the counts lie in the pool until then
    hart = machine.hart.copy()
    for name in FAST_TAGS:
        hart.tlb[name][:] = NO_TAG
    hart.tlb.xslot[:] = 0
    hart.tlb.frame_at[:] = 0
    hart.covers = 0
    frames = int(machine.memory.ram_size) // PAGE
    return Snapshot(
        config=config_of(machine),
        hart=hart.tobytes(),
        memory={name: np.asarray(machine.memory[name]).tobytes() for name in KEPT_FIELDS},
        flags=(machine.memory.frame_flags[:frames] & (0xFF ^ CODE)).tobytes(),
        pages=_pages(machine.ram, previous.pages if previous else {}),
        symbols=machine.symbols,
        input=bytes(machine._input),
        ended=machine._ended,
        output=bytes(machine._output),
        disks=tuple(map(snapdisk.take, machine.bus.devices)),
    )


def sealed(snapshot: Snapshot, machine: "Machine") -> Snapshot:
    """The same with its disks named by content: to be put back in another process; OSError."""
    disks = tuple(map(snapdisk.sealed, snapshot.disks, machine.bus.devices))
    return replace(snapshot, disks=disks)


def put(snapshot: Snapshot, machine: "Machine") -> None:
    """Make `machine` what `snapshot` was taken of; SnapshotError if it is another machine."""
    refuse_mismatch(snapshot.config, config_of(machine))
    hart = np.frombuffer(snapshot.hart, HART)[0]
    refuse_implausible(snapshot, hart)
    refuse_other_disks(snapshot, machine)
    memory = machine.memory
    flush_pool(machine.hart, memory)
    for name in HART.names:
        if name != "covers":  # an address on this host
            machine.hart[name] = hart[name]
    for name in KEPT_FIELDS:
        memory[name] = np.frombuffer(snapshot.memory[name], MEMORY[name])[0]
    memory.stale = -1
    flags = np.frombuffer(snapshot.flags, np.uint8)
    memory.frame_flags[: flags.size] = flags
    ram = machine.ram.reshape(-1, PAGE)
    for frame in _filled(machine.ram):
        if int(frame) not in snapshot.pages:
            ram[frame] = 0
    for frame, page in snapshot.pages.items():
        ram[frame] = np.frombuffer(page, np.uint8)
    machine.symbols = snapshot.symbols
    machine._input, machine._output = bytearray(snapshot.input), bytearray(snapshot.output)
    machine._ended = snapshot.ended
    machine.reason = ""
    for saved, device in zip(snapshot.disks, machine.bus.devices):
        snapdisk.put(saved, device)
    recontext(machine.hart)


def refuse_mismatch(saved: Mapping, wanted: Mapping) -> None:
    """SnapshotError if a snapshot's configuration is not the one that is `wanted`."""
    for key, value in wanted.items():
        if saved[key] == value:
            continue
        if key == "cost":
            old, new = saved[key]["name"], value["name"]
            other = f"not with {new!r}" if old != new else "whose prices have changed since"
            raise SnapshotError(f"was saved with the cost preset {old!r}, {other}")
        raise SnapshotError(f"was saved with {key} {saved[key]}, not {value}")


def refuse_other_disks(snapshot: Snapshot, machine: "Machine") -> None:
    """SnapshotError if the machine's disks are not those that the snapshot needs."""
    saved, given = snapshot.disks, machine.bus.devices
    if len(saved) != len(given):
        names = f" ({', '.join(disk.name for disk in saved)})" if saved else ""
        plural = "" if len(saved) == 1 else "s"
        raise SnapshotError(f"was saved with {len(saved)} disk{plural}{names}, not {len(given)}")
    for disk, device in zip(saved, given):
        snapdisk.refuse_other(disk, device)


def refuse_implausible(snapshot: Snapshot, hart: np.record) -> None:
    """SnapshotError if a value that the core uses as a host index is out of range."""
    console = np.frombuffer(snapshot.memory["console"], MEMORY["console"])[0]
    frames = snapshot.config["mem"] // PAGE
    cost = snapshot.config["cost"]
    queued = int(console.rx_tail) - int(console.rx_head)
    sound = (
        0 <= hart.fetch.frame < frames
        and hart.tlb.dmask == cost["dtlb"] - 1
        and hart.tlb.imask == cost["itlb"] - 1
        and 0 <= queued <= RX_SIZE
        and 0 <= console.tx_len <= TX_SIZE
        and len(snapshot.flags) == frames
        and all(0 <= frame < frames for frame in snapshot.pages)
    )
    if not sound:
        raise SnapshotError("is damaged: it holds an impossible state")


def _filled(ram: np.ndarray) -> np.ndarray:
    """The numbers of the frames that are not all zero."""
    return np.flatnonzero(ram.view(np.uint64).reshape(-1, PAGE // 8).any(axis=1))


def _pages(ram: np.ndarray, known: Mapping[int, bytes]) -> dict[int, bytes]:
    """Frames that are not zero; a page that is the same in `known` is not copied."""
    pages = {}
    view = memoryview(ram)
    for frame in map(int, _filled(ram)):
        page = view[frame * PAGE : (frame + 1) * PAGE]
        old = known.get(frame)
        pages[frame] = old if old is not None and page == old else bytes(page)
    return pages
