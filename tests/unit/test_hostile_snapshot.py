"""A snapshot file with a right checksum and wrong content is refused, each time."""

import copy
import hashlib
import json
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from tests.unit.test_disk_snapshot import counting, image  # noqa: F401
from tests.unit.test_snapshot import looping
from toyisa.core.memory import RAM_BASE
from toyisa.core.state import MAX_TIME, NEVER, NO_TAG
from toyisa.devices.disk import Disk
from toyisa.devices.overlay import Overlay
from toyisa.machine import Machine
from toyisa.snapshots import snapfile
from toyisa.snapshots.snapfields import FIELDS, MAX_COUNT, ROOM, SAVED
from toyisa.snapshots.snapshot import SnapshotError, sealed, take

MEM = 1 << 20
LAST = MAX_TIME - ROOM  # a machine that is restored goes on from there for a while


@pytest.fixture(scope="module")
def machine():
    made = looping()
    made.poke(RAM_BASE + 0x5000, b"data")
    made.symbols = ((RAM_BASE, "start"),)
    made.feed(b"typed")
    return made


@pytest.fixture(scope="module")
def whole(machine):
    """The JSON and the content of a file."""
    state = take(machine)
    return snapfile.meta_of(state), b"".join(snapfile.contents(state))


def forged(path, meta, content):
    """A file of these, with a right checksum."""
    path.write_bytes(b"".join(snapfile.assemble(meta, [content])))
    return path


def refused(path, disks=()):
    """Why a file is refused, in a line that names it."""
    with pytest.raises(SnapshotError) as told:
        Machine.restore(path, disks)
    reason = str(told.value)
    assert reason.startswith(f"{path}: ")
    assert "\n" not in reason
    return reason


def test_the_file_as_it_is(whole, machine, tmp_path):
    again = Machine.restore(forged(tmp_path / "s", *whole))
    assert again.digest() == machine.digest()


def test_what_is_derived_is_not_in_a_file(machine, tmp_path):
    """A machine with other fast tags, masks and prices: the restored one has its own."""
    made = looping()
    made.hart.tlb.rtag[:], made.hart.tlb.wtag[:], made.hart.tlb.xtag[:] = 1, 2, 3
    made.hart.tlb.frame_at[:], made.hart.tlb.xslot[:] = 1 << 30, 1 << 40
    made.hart.tlb.dmask = made.hart.tlb.imask = 1 << 20
    made.hart.fetch.frame = 1 << 40
    made.hart.root.deleg_exc, made.hart.root.s_limit = 0, 5
    made.memory.request.rd, made.memory.request.pa = 77, 0x1000_1000
    made.memory.console.tx_len, made.memory.console.interval = 1 << 40, 0
    made.memory.plic.lines = made.memory.plic.urgent = 0xFFFF_FFFF
    made.hart.clock.per_tick = 0
    made.save(tmp_path / "s")
    again = Machine.restore(tmp_path / "s")
    tlb, fresh = again.hart.tlb, machine.hart
    for tags in (tlb.rtag, tlb.wtag, tlb.xtag):
        assert (tags == NO_TAG).all()
    assert not tlb.frame_at.any()
    assert not tlb.xslot.any()
    assert (tlb.dmask, tlb.imask) == (fresh.tlb.dmask, fresh.tlb.imask)
    assert (again.hart.fetch.tag, again.hart.fetch.frame) == (NO_TAG, 0)
    assert again.hart.root.deleg_exc == fresh.root.deleg_exc
    assert again.hart.root.s_limit == 0
    assert again.memory.request.pa == -1
    assert again.memory.console.tx_len == 0
    assert again.memory.console.interval == machine.memory.console.interval
    assert again.memory.plic.lines == again.memory.plic.urgent == 0
    assert again.hart.clock.per_tick == fresh.clock.per_tick
    assert np.array_equal(again.hart.price.op, fresh.price.op)


def with_field(content, changes):
    fields = np.frombuffer(content[: SAVED.itemsize], SAVED).copy()
    for path, value in changes.items():
        path, _, index = path.partition("[")
        if index:
            fields[0][path][int(index[:-1])] = value
        else:
            fields[0][path] = value
    return fields.tobytes() + content[SAVED.itemsize :]


LEAF = 0x2000_0000 | 0xCF  # V R W X A D
RANGES = [{path: value} for field in FIELDS for path, value in [
    (field.path, field.low - 1), (field.path, field.high + 1)]
    if np.iinfo(SAVED[path].base).min <= value <= np.iinfo(SAVED[path].base).max
]  # fmt: skip
TOGETHER = [
    {"hart.x[0]": 1}, {"hart.x[32]": 1}, {"hart.pc": RAM_BASE + 2}, {"hart.csr.sepc": 1},
    {"hart.csr.sstatus": 1 << 31}, {"hart.csr.sip": 1 << 5}, {"hart.csr.stvec": 2},
    {"hart.resv.addr": RAM_BASE + MEM}, {"hart.resv.addr": RAM_BASE + 2},
    {"hart.resv.addr": RAM_BASE - 4}, {"hart.resv.addr": 0},
    {"hart.clock.idle": LAST}, {"hart.clock.cycles": 5}, {"hart.clock.offset": 5_000},
    {"hart.clock.idle": MAX_TIME >> 1, "hart.clock.offset": -MAX_TIME},
    {"hart.clock.instret": 5}, {"hart.counts.op[3]": 1 << 59},
    {"hart.counts.event[0]": 1},
    {"memory.console.obey_at": NEVER - 1}, {"memory.console.next_at": MAX_TIME},
    {"hart.taken.times[2]": MAX_COUNT},
    {"memory.console.rx_head": 1}, {"memory.console.rx_tail": 1 << 13},
    {"memory.console.tohost": RAM_BASE + MEM - 4}, {"memory.console.tohost": RAM_BASE + 0xFFC},
    {"memory.console.tohost": RAM_BASE + 2}, {"memory.console.tohost": 0x10},
    {"memory.plic.priority[0]": 1}, {"memory.plic.priority[31]": 8},
    {"memory.plic.pending": 1}, {"memory.plic.enabled": 1}, {"memory.plic.claimed": 3},
    {"hart.tlb.dkey[1]": 2, "hart.tlb.dpte[1]": LEAF},        # not its place
    {"hart.tlb.ikey[1000]": 1000, "hart.tlb.ipte[1000]": LEAF},  # beyond the machine's
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF | 32},  # global, by one of the two
    {"hart.tlb.dkey[1]": 1 | 1 << 29, "hart.tlb.dpte[1]": LEAF},
    {"hart.tlb.dkey[1]": 1 | 3 << 28, "hart.tlb.dpte[1]": LEAF | 32},  # and of a space
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF & ~1},   # not valid
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF & ~2},   # W without R
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF & ~64},  # A clear
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF & ~0xE},  # no leaf
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": LEAF | 1 << 9},
    {"hart.tlb.dpte[1]": LEAF},                               # no key
]  # fmt: skip


@pytest.mark.parametrize("changes", [*RANGES, *TOGETHER], ids=str)
def test_a_field_that_cannot_be(whole, tmp_path, changes):
    meta, content = whole
    assert "is damaged: " in refused(forged(tmp_path / "s", meta, with_field(content, changes)))


@pytest.mark.parametrize("changes", [
    {"hart.tlb.dkey[1]": 1, "hart.tlb.dpte[1]": 0xFFFF_FDFF & ~32},  # far outside RAM
    {"hart.tlb.dkey[2]": 2 | 1 << 29, "hart.tlb.dpte[2]": LEAF | 32},
    {"hart.resv.addr": RAM_BASE + MEM - 4}, {"memory.console.tohost": RAM_BASE + 0xFF8},
    {"hart.clock.idle": LAST - 10_000}, {"hart.clock.offset": 1_000},
    {"hart.clock.idle": LAST - 10_000, "hart.clock.offset": LAST - 10_000},
    {"hart.clock.offset": 10_000 - LAST},
    {"memory.console.obey_at": NEVER}, {"memory.console.next_at": 3_000},
    {"memory.console.rx_head": 1 << 50, "memory.console.rx_tail": (1 << 50) + 4096},
], ids=str)  # fmt: skip
def test_a_field_that_can_be(whole, tmp_path, changes):
    """At the edges, and harmless: the machine runs on."""
    meta, content = whole
    made = Machine.restore(forged(tmp_path / "s", meta, with_field(content, changes)))
    made.run(1000)
    assert made.instret == 2001


DELETE = object()


def shown(part: object) -> str:
    """A test's name, the same in every process."""
    return "deleted" if part is DELETE else str(part)[:30]


JSON = [
    ("config mem", 0), ("config mem", -4096), ("config mem", MEM + 1), ("config mem", 1 << 63),
    ("config mem", 10**400), ("config mem", True), ("config mem", 1048576.0), ("config mem", None),
    ("config profile", 3), ("config profile", -1), ("config profile", "strict"),
    ("config profile", True),
    ("config clock", "sundial"), ("config clock", ["cycles"]), ("config svade", 1),
    ("config more", 1), ("config clock", DELETE), ("config", []), ("config", None),
    ("config cost name", 5), ("config cost name", "\ud800"), ("config cost hz", 0),
    ("config cost hz", "1"), ("config cost dtlb", 3), ("config cost dtlb", 1 << 20),
    ("config cost itlb", 0), ("config cost tagged", 1), ("config cost price", []),
    ("config cost price alu", 0), ("config cost price alu", 1 << 40),
    ("config cost price hz", 1), ("config cost price walk_ref", -1),
    ("config cost price alu", DELETE), ("config cost more", 1),
    ("program", 1), ("program", "x" * 65), ("ended", 0), ("more", 1), ("pages", DELETE),
    ("symbols", {}), ("symbols", [1]), ("symbols", [[1]]), ("symbols", [["a", 1]]),
    ("symbols", [[-1, "a"]]), ("symbols", [[1 << 32, "a"]]), ("symbols", [[1, "\udc80"]]),
    ("input", -1), ("input", 1 << 40), ("input", True), ("output", 1.5), ("output", 5000),
    ("pages", -1), ("pages", 257), ("pages", 1), ("pages", 3), ("disks", [{}]), ("disks", [1] * 9),
    ("disks", {}), ("layout", "another"), ("layout", ["l"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), JSON, ids=shown)
def test_json_that_cannot_be(whole, tmp_path, path, value):
    meta, content = copy.deepcopy(whole[0]), whole[1]
    *parents, key = path.split()
    place = meta
    for parent in parents:
        place = place[parent]
    if value is DELETE:
        del place[key]
    else:
        place[key] = value
    reason = refused(forged(tmp_path / "s", meta, content))
    assert "is damaged: " in reason or "another version" in reason


STATE = [
    ("version", 3), ("name", 5), ("sectors", 0), ("sectors", 1 << 60), ("read_only", 0),
    ("digest", ""), ("digest", 5), ("written", [16]), ("written", [1, 1]), ("written", [2, 1]),
    ("written", ["1"]), ("written", [-1]), ("written", 1),
    ("state", {}), ("state status", -1), ("state interrupt", 4), ("state broken", 1),
    ("state frame", 1 << 32), ("state queue", None), ("state queue size", 1 << 32),
    ("state queue seen", 1 << 16), ("state queue done", -1), ("state queue used", 1 << 70),
    ("state queue ready", 2), ("state queue more", 1), ("state queue size", "8"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), STATE, ids=lambda part: str(part)[:30])
def test_a_device_that_cannot_be(image, tmp_path, path, value):  # noqa: F811
    state = counted(image)
    meta = json.loads(json.dumps(snapfile.meta_of(state)))
    content = b"".join(snapfile.contents(state))
    assert meta["disks"][0]["written"] == [3]
    *parents, key = path.split()
    place = meta["disks"][0]
    for parent in parents:
        place = place[parent]
    place[key] = value
    path = forged(tmp_path / "s", meta, content)
    assert "is damaged: " in refused(path, [Overlay(Disk(image, True))])


def counted(image):  # noqa: F811
    made = counting(Overlay(Disk(image, True)))
    made.run(1000)
    return sealed(take(made), made)


def test_every_register_of_a_device_has_a_range(image):  # noqa: F811
    (disk,) = snapfile.meta_of(counted(image))["disks"]
    from toyisa.snapshots.snapdisk import QUEUE, REGISTERS

    assert {*disk["state"]} == {*REGISTERS, "queue"}
    assert {*disk["state"]["queue"]} == {*QUEUE}


@pytest.mark.parametrize("frames", [(5, 0), (0, 0), (0, 256), (0, 0xFFFF_FFFF)])
def test_pages_that_cannot_be(whole, tmp_path, frames):
    meta, content = whole
    assert meta["pages"] == 2
    at = SAVED.itemsize + meta["input"] + meta["output"]
    numbers = np.array(frames, "<u4").tobytes()
    content = content[:at] + numbers + content[at + 8 :]
    assert "pages of RAM, in order" in refused(forged(tmp_path / "s", meta, content))


@pytest.mark.parametrize("change", [lambda c: c + b"x", lambda c: c[:-1], lambda _: b""])
def test_content_of_another_length(whole, tmp_path, change):
    meta, content = whole
    assert "is damaged: " in refused(forged(tmp_path / "s", meta, change(content)))


def body(path, data):
    """A file with this body, and a right checksum."""
    head = struct.pack("<16sIQ", snapfile.MAGIC, snapfile.FORMAT, len(data))
    path.write_bytes(head + data + hashlib.sha256(head + data).digest())
    return path


def packed(size, data):
    return struct.pack("<II", size, len(data)) + data


NEST = b"[" * 200_000 + b"]" * 200_000
BODIES = {
    "empty": b"",
    "short": b"\0\0",
    "much JSON": struct.pack("<I", 1 << 31),
    "a bomb of JSON": packed(1 << 20, zlib.compress(bytes(64 << 20))),
    "a bomb that tells": packed(64 << 20, zlib.compress(bytes(64 << 20))),
    "nested": packed(len(NEST), zlib.compress(NEST)),
    "nested objects": packed(5 * 10**5, zlib.compress(b'{"a":' * 10**5)),
    "no zlib": packed(100, b"x" * 50),
    "zlib cut": packed(100, zlib.compress(b"x" * 100)[:-1]),
    "zlib and more": packed(2, zlib.compress(b"{}") + b"more"),
    "stored, another length": struct.pack("<II", 3, 2 | snapfile.STORED) + b"{}",
    "a long number": packed(10**5, zlib.compress(b"1" * 10**5)),
    "a list": packed(2, zlib.compress(b"[]")),
    "no text": packed(2, zlib.compress(b"\xff\xfe")),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_cannot_be(tmp_path, name):
    path = body(tmp_path / "s", BODIES[name])
    tracemalloc.start()
    try:
        assert "is damaged: " in refused(path)
        if name == "a bomb of JSON":
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_claims_much_holds_much(whole, tmp_path):
    """A file that would inflate to 2 GiB of RAM."""
    meta = copy.deepcopy(whole[0])
    meta["config"]["mem"], meta["pages"] = 2 << 30, 1 << 19
    assert "claims more" in refused(forged(tmp_path / "s", meta, whole[1]))


def test_older_formats_say_what_to_do(whole, tmp_path):
    data = forged(tmp_path / "s", *whole).read_bytes()
    for number in (1, 2, 4):
        (tmp_path / "s").write_bytes(data[:16] + struct.pack("<I", number) + data[20:])
        assert f"has snapshot format {number}" in refused(tmp_path / "s")


def test_files_that_are_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(tmp_path / "pipe")
    assert "Is a directory" in refused(tmp_path)
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(1 << 40)
    assert "too large" in refused(tmp_path / "huge")
    with pytest.raises(SnapshotError, match="not a regular file"):
        Machine.restore("/dev/zero")


def test_what_is_too_much_is_not_saved(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(snapfile, "MAX_CONTENT", 1000)
    with pytest.raises(SnapshotError, match="more than a snapshot can hold"):
        machine.save(tmp_path / "s")
    assert not (tmp_path / "s").exists()
