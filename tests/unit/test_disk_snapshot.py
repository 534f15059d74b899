"""A machine with disks is saved and restored with its image unchanged, or refused."""

import random
import shutil

import pytest

from tests.unit.test_bus import DRIVER, TABLES, machine_with
from toyisa.devices.disk import SECTOR, Disk
from toyisa.devices.overlay import Overlay
from toyisa.machine import Exit, Machine
from toyisa.snapshots.snapshot import SnapshotError, put, take
from vmm.gdb.timeline import Timeline

ROUNDS = 20
# Twenty times: read sector 3, add 1 to its first byte, write it back.
COUNTING = (
    DRIVER
    + f"""
    li s3, {ROUNDS}
    li s4, 0
round:
    li a0, 0                    # read: the data buffer is for the device to write
    li a1, 3
    jal request
    la t0, data
    lbu t1, 0(t0)
    addi t1, t1, 1
    sb t1, 0(t0)
    li a0, 1                    # write
    li a1, 1
    jal request
    addi s3, s3, -1
    bnez s3, round
    lbu a0, data
    j done
request:
    la t0, header
    sw a0, 0(t0)
    la t0, descriptors
    sh a1, 28(t0)
    la t0, available
    addi s4, s4, 1
    sh s4, 2(t0)
    sw zero, 0x50(s0)
1:  la t0, used
    lhu t1, 2(t0)
    bne t1, s4, 1b
    lw t1, 0x60(s0)
    sw t1, 0x64(s0)
    ret
"""
    + TABLES.format(data="data")
    + "\n.balign 4\ndone:"
)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(b"".join(bytes([n]) * SECTOR for n in range(16)))
    return path


def counting(disk, legacy=False):
    machine = machine_with(None, "")
    machine.attach(disk, legacy)
    other = machine_with(None, COUNTING)
    machine.poke(0x8000_0000, other.ram[:0x4000].tobytes())
    return machine


def ended(machine):
    """What two runs must agree on at the end."""
    assert machine.run(100_000) is Exit.HALTED
    assert machine.code == 3 + ROUNDS
    return machine.digest(), machine.cycles, machine.instret, machine.cycles_by_class()


def points(image, count=8):
    """Moments in the run, while the guest is busy with its disk."""
    whole = counting(Overlay(Disk(image, True)))
    expected = ended(whole)
    return expected, sorted(random.Random(3).sample(range(50, whole.instret), count))


def test_a_copy_on_write_disk_is_saved_with_the_machine(image, tmp_path):
    before = image.read_bytes()
    expected, moments = points(image)
    runner = counting(Overlay(Disk(image, True)))
    for moment in moments:
        runner.run(moment - runner.instret)
        runner.save(tmp_path / "state")
        runner = Machine.restore(tmp_path / "state", [Overlay(Disk(image, True))])
        assert runner.instret == moment
    assert ended(runner) == expected
    assert image.read_bytes() == before


def test_a_written_image_goes_on_from_its_copy_of_then(image, tmp_path):
    expected, moments = points(image)
    for n, moment in enumerate(moments):
        ours, then = tmp_path / f"{n}.img", tmp_path / f"{n}.then"
        shutil.copy(image, ours)
        machine = counting(Disk(ours))
        machine.run(moment)
        machine.save(tmp_path / "state")
        shutil.copy(ours, then)
        expected_here = ended(machine)
        assert expected_here == expected
        assert ended(Machine.restore(tmp_path / "state", [Disk(then)])) == expected
        assert then.read_bytes() == ours.read_bytes()
        if ours.read_bytes() != image.read_bytes():
            with pytest.raises(SnapshotError, match=r"the content of .*disk\.img differs"):
                Machine.restore(tmp_path / "state", [Disk(image)])


def test_taken_back_within_a_process(image):
    expected, moments = points(image)
    machine = counting(Overlay(Disk(image, True)))
    for moment in moments:
        machine.run(moment - machine.instret)
        state = take(machine)
        assert ended(machine) == expected
        put(state, machine)
    assert ended(machine) == expected


def test_what_was_written_to_an_image_is_not_taken_back(image):
    machine = counting(Disk(image))
    state = take(machine)
    with pytest.raises(SnapshotError, match="undo what was written"):
        put(state, machine)


@pytest.mark.compiled
def test_steps_back_over_the_disk(image):
    """The debugger's way back: each moment again, with the sectors that were written."""
    machine = counting(Overlay(Disk(image, True)))
    timeline = Timeline(machine, lambda: None, lambda data: None)
    timeline.run(400)
    states = []
    for _ in range(150):
        states.append((timeline.now, machine.digest(), take(machine).disks))
        timeline.step()
    assert len({repr(disks) for *_, disks in states}) > 3
    while states:
        timeline.step_back()
        moment, digest, disks = states.pop()
        assert (timeline.now, machine.digest(), take(machine).disks) == (moment, digest, disks)


def other(tmp_path, sectors=16):
    path = tmp_path / f"other{sectors}"
    path.write_bytes(bytes(sectors * SECTOR))
    return path


@pytest.mark.parametrize(
    ("disks", "reason"),
    [
        (lambda image, tmp: [], r"saved with 1 disk \(disk.img\), not 0"),
        (lambda image, tmp: [Overlay(Disk(image, True))] * 2, "saved with 1 disk .*, not 2"),
        (lambda image, tmp: [Disk(image, True)], "disk.img writable, which .*disk.img is not"),
        (lambda image, tmp: [Overlay(Disk(other(tmp, 17), True))], "16 sectors, .*other17 has 17"),
        (lambda image, tmp: [Overlay(Disk(other(tmp), True))], "content of .*other16 differs"),
        (lambda image, tmp: [Disk(image)], "needs it as `.*disk.img,cow`"),
    ],
)
def test_other_disks_are_refused(image, tmp_path, disks, reason):
    machine = counting(Overlay(Disk(image, True)))
    machine.run(1000)
    assert take(machine).disks[0].written
    machine.save(tmp_path / "state")
    machine.bus.devices[0].backend.disk.close()
    with pytest.raises(SnapshotError, match=reason):
        Machine.restore(tmp_path / "state", disks(image, tmp_path))


def test_legacy_is_part_of_the_snapshot(image, tmp_path):
    counting(Overlay(Disk(image, True)), legacy=True).save(tmp_path / "state")
    machine = Machine.restore(tmp_path / "state", [Overlay(Disk(image, True))])
    assert take(machine).disks[0].legacy
    with pytest.raises(SnapshotError, match="disk legacy, not modern"):
        counting(Overlay(Disk(image, True))).load_snapshot(tmp_path / "state")


def test_the_name_that_the_guest_reads_stays(image, tmp_path):
    counting(Overlay(Disk(image, True))).save(tmp_path / "state")
    shutil.copy(image, tmp_path / "moved")
    machine = Machine.restore(tmp_path / "state", [Overlay(Disk(tmp_path / "moved", True))])
    assert machine.bus.devices[0].backend.name == "disk.img"


def test_an_overlay_is_a_disk_of_bytes(image):
    """Against the simplest possible disk."""
    overlay, plain = Overlay(Disk(image, True)), bytearray(image.read_bytes())
    draw = random.Random(5)
    for _ in range(300):
        at = draw.randrange(16)
        size = draw.randint(1, 16 - at) * SECTOR
        at *= SECTOR
        if draw.random() < 0.3:
            data = draw.randbytes(size)
            overlay.write(at, data)
            plain[at : at + size] = data
        assert overlay.read(at, size) == plain[at : at + size]
    assert overlay.digest() == Disk(image, True).digest()


def test_a_disk_comes_back_in_its_slot(image, tmp_path):
    machine = machine_with(None, "")
    machine.attach(Disk(image, True), slot=6)
    machine.save(tmp_path / "state")
    again = Machine.restore(tmp_path / "state", [Disk(image, True)])
    assert again.bus.slots == (6,)
    other = machine_with(None, "")
    other.attach(Disk(image, True), slot=5)
    with pytest.raises(SnapshotError, match="a disk in slot 6, not 5"):
        other.load_snapshot(tmp_path / "state")
