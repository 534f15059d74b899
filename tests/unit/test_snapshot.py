"""A snapshot file is accepted only if it is complete, and replaced only by a complete one."""

import os
import random
import signal
import subprocess
import sys
import tracemalloc

import pytest

from tests.unit.cli.command import environment
from toyisa.core.memory import MEMORY, RAM_BASE
from toyisa.core.state import HART
from toyisa.machine import Exit, Machine
from toyisa.snapshots.snapfields import ANEW, FIELDS
from toyisa.snapshots.snapshot import SnapshotError, put, take

LOOP = bytes.fromhex("130515006ff0dfff")  # addi a0,a0,1; j .-4


def looping(**options):
    machine = Machine(**{"mem": 1 << 20, "cost": "p4"} | options)
    machine.boot(RAM_BASE, 0)
    machine.poke(RAM_BASE, LOOP)
    assert machine.run(1001) is Exit.BUDGET
    return machine


@pytest.fixture
def saved(tmp_path):
    looping().save(tmp_path / "state")
    return tmp_path / "state"


def test_registers_memory_and_console_come_back(tmp_path):
    machine = looping(clock="icount")
    machine.symbols = ((RAM_BASE, "start"),)
    machine.feed(b"typed")
    machine.end_input()
    machine.poke(RAM_BASE + 0x5000, b"data")
    machine.save(tmp_path / "state")
    again = Machine.restore(tmp_path / "state")
    assert again.digest() == machine.digest()
    assert again.symbolize(RAM_BASE + 4) == "start+0x4"
    assert (again.clock, again.input_ended) == ("icount", True)
    again.run(1000)
    machine.run(1000)
    assert (again.digest(), again.cycles_by_class()) == (
        machine.digest(), machine.cycles_by_class())  # fmt: skip


def test_putting_back_clears_what_came_later(saved):
    machine = looping()
    before = take(machine)
    digest = machine.digest()
    machine.poke(RAM_BASE + 0x9000, b"later")
    machine.run(1000)
    put(before, machine)
    assert machine.digest() == digest


def test_code_that_changed_meanwhile_is_decoded_again():
    machine = looping()
    before = take(machine)
    expected = (machine.run(10), machine.digest())
    machine.poke(RAM_BASE, bytes.fromhex("1305a500"))  # addi a0,a0,10
    machine.run(10)
    put(before, machine)
    assert (machine.run(10), machine.digest()) == expected


def test_unchanged_pages_are_shared():
    machine = looping()
    machine.poke(RAM_BASE + 0x9000, b"same")
    first = take(machine)
    machine.poke(RAM_BASE, LOOP[::-1])
    second = take(machine, first)
    assert second.pages[9] is first.pages[9]
    assert second.pages[0] != first.pages[0]


def mixed(size):
    """A machine whose frames are random, full of one byte, or zero, in runs of 1 to 200."""
    machine, draw = looping(mem=size), random.Random(7)
    at = 1
    while at < size >> 12:
        count = min(draw.randint(1, 200), (size >> 12) - at)
        made = draw.choice([draw.randbytes, lambda size: b"a" * size, bytes])
        machine.poke(RAM_BASE + (at << 12), made(count << 12))
        at += count
    return machine


def test_pages_of_each_kind_come_back(tmp_path):
    """Runs of them begin and end anywhere in the file's pieces."""
    machine = mixed(16 << 20)
    machine.save(tmp_path / "state")
    assert Machine.restore(tmp_path / "state").digest() == machine.digest()
    other = looping(mem=16 << 20)
    other.poke(RAM_BASE + 0x1000, b"other" * 1_000_000)
    other.load_snapshot(tmp_path / "state")
    assert other.digest() == machine.digest()
    kept = take(machine)
    other.poke(RAM_BASE + 0x1000, b"other" * 1_000_000)
    put(kept, other)
    assert other.digest() == machine.digest()


def test_a_machine_with_nothing_in_its_ram(tmp_path):
    machine = Machine(mem=1 << 20)
    assert not take(machine).pages
    machine.save(tmp_path / "empty")
    assert not Machine.restore(tmp_path / "empty").ram.any()


def test_ram_is_not_copied_for_a_file(tmp_path, monkeypatch):
    """Memory that a process has not used before costs more than the rest of the work."""
    machine = looping(mem=16 << 20)  # RAM of so little is not traced
    machine.poke(RAM_BASE + 0x1000, random.Random(1).randbytes((16 << 20) - 0x1000))
    monkeypatch.setattr("toyisa.snapshots.snapfile.new_ram", None)  # it is the machine's
    tracemalloc.start()
    try:
        machine.save(tmp_path / "state")
        Machine.restore(tmp_path / "state")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_damaged_file_changes_no_machine(saved):
    machine = looping()
    machine.poke(RAM_BASE + 0x5000, b"mine")
    digest = machine.digest()
    saved.write_bytes(saved.read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotError, match="checksum is wrong"):
        machine.load_snapshot(saved)
    assert machine.digest() == digest


def test_damage_is_not_taken_for_another_machine(saved):
    """What is read before the checksum is known may look like anything."""
    data = saved.read_bytes()
    for at in range(28, len(data), 97):
        saved.write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with pytest.raises(SnapshotError, match="is damaged: its checksum is wrong"):
            Machine.restore(saved)


def test_every_damaged_byte_is_seen(saved):
    data = saved.read_bytes()
    for at in random.Random(3).sample(range(len(data)), 200):
        saved.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        with pytest.raises(SnapshotError, match=r"state: (is|has) "):
            Machine.restore(saved)


def test_truncated(saved):
    data = saved.read_bytes()
    for length in (0, 10, 20, 50, len(data) // 2, len(data) - 1):
        saved.write_bytes(data[:length])
        with pytest.raises(SnapshotError, match=r"is (truncated|not a snapshot|damaged)"):
            Machine.restore(saved)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cost": "modern"}, "cost preset 'p4', not with 'modern'"),
        ({"clock": "icount"}, "clock cycles, not icount"),
        ({"profile": 1}, "profile 0, not 1"),
        ({"svade": True}, "svade False, not True"),
    ],
)
def test_another_machine_is_refused(saved, options, reason):
    machine = looping(**options)
    digest = machine.digest()
    with pytest.raises(SnapshotError, match=reason):
        machine.load_snapshot(saved)
    assert machine.digest() == digest
    with pytest.raises(SnapshotError, match="mem 1048576"):
        Machine(mem=2 << 20, cost="p4").load_snapshot(saved)


def test_another_layout_is_refused(saved, monkeypatch):
    monkeypatch.setattr("toyisa.snapshots.snapfile.layout", lambda: "another")
    with pytest.raises(SnapshotError, match="another version"):
        Machine.restore(saved)


DYING = """
import os, signal, sys
from tests.unit.test_snapshot import looping
machine = looping()
machine.save(sys.argv[1])
machine.run(1000)
module, name = sys.argv[2].split(".")
def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(sys.modules[module], name, die)
machine.save(sys.argv[1])
"""


@pytest.mark.parametrize("moment", ["os.urandom", "os.fsync", "os.replace"])
def test_killed_while_saving_leaves_the_old_file(tmp_path, moment):
    file = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-P", "-c", DYING, file, moment], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert Machine.restore(file).instret == 1001


def test_killed_after_the_rename_leaves_the_new_file(tmp_path):
    file = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-P", "-c", DYING, file, "os.close"], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert Machine.restore(file).instret == 2001


def test_a_failed_save_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        looping().save(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_this_host_is_saved():
    """Two machines in one state, with RAM at different host addresses, save the same."""
    one, two = looping(), looping()
    assert int(one.memory.ram) != int(two.memory.ram)
    assert take(one) == take(two)


def leaves(kind, path):
    """The fields of a record that are not records, by path."""
    if not kind.names:
        yield path
        return
    for name in kind.names:
        yield from leaves(kind[name], f"{path}.{name}")


def test_each_field_is_saved_or_made_anew():
    """Whoever adds a field to a record says in snapfields.py which kind it is, and what it may
    hold.
    """
    saved = [field.path for field in FIELDS]
    assert len({*saved}) == len(saved)
    for path in (*leaves(HART, "hart"), *leaves(MEMORY, "memory")):
        parts = path.split(".")
        places = [".".join(parts[:n]) for n in range(2, len(parts) + 1)]
        assert (path in saved) + sum(place in ANEW for place in places) == 1, path
    known = {*leaves(HART, "hart"), *leaves(MEMORY, "memory")}
    assert {*saved} <= known
