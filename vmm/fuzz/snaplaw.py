"""Answers for the law of snapshots: a file is refused, or it is a machine like any other.

A case is a guest, a moment at which it is saved, and what is then changed in the file; the
checksum is made right again.  Must not know of other laws.
"""

import hashlib
import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.devices.disk import SECTOR
from toyisa.devices.overlay import Overlay
from toyisa.devices.virtio import DRIVER_OK, Reg
from toyisa.load.fdt import TIMEBASE
from toyisa.machine import Machine
from toyisa.snapshots import snapdisk, snapfile, snapmeta
from toyisa.snapshots.snapfields import FIELDS, SAVED
from toyisa.snapshots.snapshot import SnapshotError, sealed, take
from toyisa.tables.cost import CLASSES, EVENTS, CostModel
from toyisa.tables.ops import Op
from vmm.fuzz import hartcheck
from vmm.fuzz.case import Case, Violation, must_equal
from vmm.fuzz.lawguests import MEM, NATIVE, booting, hostile, machine, running
from vmm.fuzz.seen import Seen

BUDGET = 3000    # instructions that a machine runs after it is restored
POISONS = (0xA5, 0x5A)
FENCE = 1 << 20    # bytes before RAM and behind it that the machine must not see
LARGE = 64 << 20   # more RAM is not copied between fences, which would take too long
SECTORS = 16
HEAD, SUM = 28, 32  # bytes of a file around its body

# -- making cases ----------------------------------------------------------

_EDGES = [0, 1, PAGE, MEM, RAM_BASE, RAM_BASE + MEM, *(1 << n for n in (8, 12, 16, 30, 31, 32, 62))]
numbers = st.builds(lambda edge, off: edge + off, st.sampled_from(_EDGES), st.integers(-4, 4))
small = st.integers(-2, 300)
_plain = st.one_of(numbers, small, st.none(), st.booleans(), st.floats(), st.text(max_size=5),
                   st.integers(0, 1 << 70))  # fmt: skip
values = st.one_of(_plain, _plain, st.lists(_plain, max_size=3),
                   st.dictionaries(st.text(max_size=3), _plain, max_size=2))  # fmt: skip

PATHS: list[list[str | int]] = [
    *([key] for key in snapmeta.KEYS), ["more"],
    *(["config", key] for key in ("mem", "profile", "clock", "svade", "more")),
    *(["config", "cost", key] for key in (*CostModel.__dataclass_fields__, "more")),
    *(["config", "cost", "price", key] for key in (*CLASSES, *EVENTS, "more")),
    ["symbols", 0], ["symbols", 0, 0], ["symbols", 0, 1], ["disks", 0],
    *(["disks", 0, key] for key in snapdisk.SavedDisk.__dataclass_fields__),
    *(["disks", 0, "state", key] for key in (*snapdisk.REGISTERS, "queue")),
    *(["disks", 0, "state", "queue", key] for key in snapdisk.QUEUE),
]  # fmt: skip
DEVICE = [path for path in PATHS if path[:3] == ["disks", 0, "state"]]


@st.composite
def _field(draw: st.DrawFn) -> list[Any]:
    """One number of a field, at an edge of what is legal, or of what its type holds."""
    field = draw(st.sampled_from(FIELDS))
    kind = SAVED[field.path]
    count = int(np.prod(kind.shape)) if kind.shape else 1
    limits = np.iinfo(kind.base)
    edge = st.sampled_from([field.low, field.high, int(limits.min), int(limits.max)])
    value = draw(st.one_of(numbers, st.builds(int.__add__, edge, st.integers(-1, 1))))
    value = max(int(limits.min), min(value & field.mask if draw(st.booleans()) else value,
                                     int(limits.max)))  # fmt: skip
    return ["field", field.path, draw(st.integers(0, count - 1)), value]


@st.composite
def _entry(draw: st.DrawFn) -> list[Any]:
    """An entry of a modelled TLB as a walk leaves it, but it may lead anywhere."""
    vpn = draw(st.one_of(st.integers(0, 0xFFFFF), st.integers(0x7FFF0, 0x80110)))
    frame = draw(st.one_of(st.integers(0, (1 << 22) - 1), st.integers(0x7FFF0, 0x80110)))
    pte = frame << 10 | draw(st.integers(0, 0x1FF)) | 0xC1
    space = draw(st.integers(0, 0x1FF))
    key = vpn | (1 << 29 if pte & 32 else space << 20)
    return ["entry", draw(st.sampled_from("di")), key, pte]


spent = st.one_of(st.integers(0, 1 << 61), st.builds(int.__add__, st.just(1 << 60), small))
in_fields = st.one_of(
    _field(), _field(), _field(), _entry(), st.tuples(st.just("spend"), spent).map(list)
)
elsewhere = st.one_of(
    st.tuples(st.just("json"), st.sampled_from(PATHS), values).map(list),
    st.tuples(st.just("json"), st.sampled_from(PATHS), numbers).map(list),
    st.tuples(st.just("json"), st.sampled_from(DEVICE), numbers).map(list),
    st.tuples(st.just("omit"), st.sampled_from(PATHS)).map(list),
    st.tuples(st.just("content"), st.integers(0, 1 << 16), st.binary(max_size=8)).map(
        lambda change: [*change[:2], change[2].hex()]),
    st.tuples(st.just("cut"), st.integers(1, 5000)).map(list),
    st.tuples(st.just("frame"), st.integers(0, 20), st.integers(0, 1 << 32)).map(list),
    st.tuples(st.just("body"), st.integers(0, 2000), st.binary(min_size=1, max_size=8)).map(
        lambda change: [*change[:2], change[2].hex()]),
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn, _engine: str) -> Case:
    """A guest, when to save it, and some files: up to three changes of each."""
    case = draw(st.one_of(booting(NATIVE, max_size=12), running(NATIVE), hostile(NATIVE)))
    case.settings["clock"] = draw(st.sampled_from(["cycles", "icount"]))
    case.settings["at"] = draw(st.one_of(st.integers(0, 300), st.integers(0, 5000)))
    some, others = st.lists(in_fields, max_size=3), st.lists(elsewhere, min_size=1, max_size=3)
    files = st.lists(st.one_of(some, some, others), min_size=2, max_size=8)
    case.settings["files"] = draw(files)
    return case


# -- the file --------------------------------------------------------------


def forged(made: Machine, told: list[list[Any]]) -> bytes:
    """The snapshot of a machine with these changes, and a right checksum."""
    state = sealed(take(made), made)
    meta = json.loads(json.dumps(snapfile.meta_of(state)))
    content = bytearray(b"".join(snapfile.contents(state)))
    fields = np.frombuffer(content, SAVED, 1)[0]  # a view: what is set there is set in `content`
    frames = SAVED.itemsize + len(state.input) + len(state.output)
    for change in told:
        match change:
            case ["field", path, index, value]:
                np.atleast_1d(fields[path])[index] = value  # of an array
                if not SAVED[path].shape:
                    fields[path] = value
            case ["entry", side, key, pte]:
                place = key & int(made.hart.tlb[f"{side}mask"])
                fields[f"hart.tlb.{side}key"][place] = key
                fields[f"hart.tlb.{side}pte"][place] = pte
            case ["spend", count]:
                _spend(fields, made, count)
            case ["json", [*parents, key], value]:
                _set(meta, parents, key, value)
            case ["omit", [*parents, key]]:
                _omit(meta, parents, key)
            case ["frame", index, number] if state.pages:
                at = frames + 4 * (index % len(state.pages))
                content[at : at + 4] = struct.pack("<I", number & 0xFFFF_FFFF)
            case ["content", at, data]:
                at %= len(content)
                data = bytes.fromhex(data)[: len(content) - at]
                content[at : at + len(data)] = data
    file = bytearray(b"".join(snapfile.assemble(meta, [_cut(content, told)])))
    for change in told:
        match change:
            case ["body", at, data]:
                at = HEAD + at % (len(file) - HEAD - SUM)
                data = bytes.fromhex(data)[: len(file) - SUM - at]
                file[at : at + len(data)] = data
    file[-SUM:] = hashlib.sha256(file[:-SUM]).digest()
    return bytes(file)


def _spend(fields: np.void, made: Machine, count: int) -> None:
    """Run that many instructions more, at their price: the state is as legal as before."""
    for path, more in (
        ("hart.clock.instret", count),
        ("hart.clock.cycles", count * int(made.hart.price.op[Op.ADDI])),
    ):
        fields[path] = min(int(fields[path]) + more, (1 << 63) - 1)
    fields["hart.counts.op"][Op.ADDI] += count


def _cut(content: bytearray, told: list[list[Any]]) -> bytes:
    end = len(content) - sum(change[1] for change in told if change[0] == "cut")
    return bytes(content[: max(end, 0)])


def _within(meta: Any, parents: list[Any]) -> Any:
    for key in parents:
        try:
            meta = meta[key]
        except (KeyError, IndexError, TypeError):
            return None
    return meta


def _set(meta: Any, parents: list[Any], key: Any, value: Any) -> None:
    place = _within(meta, parents)
    if isinstance(place, dict) and isinstance(key, str):
        place[key] = value
    elif isinstance(place, list) and isinstance(key, int):
        place[key : key + 1] = [value]


def _omit(meta: Any, parents: list[Any], key: Any) -> None:
    place = _within(meta, parents)
    if isinstance(place, dict):
        place.pop(key, None)
    elif isinstance(place, list) and isinstance(key, int):
        del place[key : key + 1]


# -- trying ----------------------------------------------------------------


class Zeros:
    """A disk of zeros, which needs no file."""

    name, read_only, sectors = "zeros", True, SECTORS

    def read(self, _offset: int, size: int) -> bytes:
        return bytes(size)

    def digest(self) -> str:
        return hashlib.sha256(bytes(SECTORS * SECTOR)).hexdigest()


def fence(made: Machine, poison: int) -> np.ndarray:
    """Move RAM between two areas full of `poison`; return both, to be checked later."""
    whole = np.full(made.ram.size + 2 * FENCE, poison, np.uint8)
    ram = whole[FENCE:-FENCE]
    ram[:] = made.ram
    made.host.ram = made._dma.ram = ram
    made.memory.ram = ram.ctypes.data
    return whole


def _figures(made: Machine) -> dict[str, Any]:
    return {
        "digest": made.digest(), "cycles": made.cycles, "instret": made.instret,
        "classes": made.cycles_by_class(), "traps": made.traps_by_cause(),
        "console": made.output().decode("latin-1"), "trail": int(made.hart.trail),
    }  # fmt: skip


def _tried(made: Machine, seen: Seen, poison: int) -> dict[str, Any]:
    """Run a restored machine between fences; Violation if it is not sound, or leaves RAM."""
    seen.watch(made)
    whole = fence(made, poison)
    hartcheck.check(made)
    for device in made.bus.devices:
        if device.state.status & DRIVER_OK:  # the state says that there is work to do
            device.store(Reg.QUEUE_NOTIFY, 4, 0)
    end = made.run(BUDGET)
    seen.note(made)
    hartcheck.check(made)
    if not ((whole[:FENCE] == poison).all() and (whole[-FENCE:] == poison).all()):
        raise Violation("nothing outside RAM touched", "a store to it")
    if sum(made.cycles_by_class().values()) != made.cycles:
        raise Violation(made.cycles, made.cycles_by_class())
    return {"end": end.name, **_figures(made)}


def _begun(case: Case, seen: Seen) -> Machine:
    """The case's machine, at the moment at which it is saved."""
    made = machine(case, seen, case.settings["clock"])
    made.attach(Overlay(Zeros()))
    # What a case is started with cannot be set by a file.
    made.hart.clock.per_tick = made.cost.hz // TIMEBASE
    made.run(case.settings["at"])
    return made


def check(case: Case, seen: Seen) -> None:
    """A file is refused, or two runs of it are the same, sound, and see nothing outside RAM."""
    saved = _begun(case, seen)
    for told in case.settings["files"]:
        outcome = _outcome(saved, told, seen)
        if not told:  # it must end like the run that was not saved
            again = _begun(case, seen)
            must_equal({"end": again.run(BUDGET).name, **_figures(again)}, outcome)


def _outcome(saved: Machine, told: list[list[Any]], seen: Seen) -> dict[str, Any]:
    """The result of a machine restored from its changed file; nothing, if the file is refused."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot"
        path.write_bytes(forged(saved, told))
        for poison in POISONS:
            try:
                made = Machine.restore(path, [Overlay(Zeros())])
            except SnapshotError as error:
                if not told:
                    raise Violation("a file that is not changed is read", str(error)) from None
                return {}
            if made.ram.size > LARGE:
                hartcheck.check(made)
                return {}
            outcomes.append(_tried(made, seen, poison))
    must_equal(*outcomes)
    return outcomes[0]
