"""The virtio disk: rings driven from Python as a driver would, and also wrongly, on purpose."""

import errno
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyisa.devices.block import (
    DO_FLUSH,
    FLUSH,
    GET_ID,
    IN,
    IOERR,
    MAX_REQUEST,
    OK,
    OUT,
    UNSUPP,
    Block,
)
from toyisa.devices.disk import SECTOR, Disk, DiskError
from toyisa.devices.virtio import LEGACY, MODERN, VERSION_1, Device, Reg
from toyisa.devices.virtqueue import NEXT, QUEUE_MAX, WRITE

SECTORS = 16
BASE = 0x8000_0000
DESC, AVAIL, USED, HEADER, DATA, STATUS = (BASE + n * 0x1000 for n in range(6))
SIZE = 8  # of the queue


class Ram:
    """RAM as the device accesses it."""

    def __init__(self, size=1 << 16):
        self.bytes = bytearray(size)

    def check(self, pa, size):
        if pa < BASE or pa + size > BASE + len(self.bytes):
            raise IndexError(hex(pa))
        return pa - BASE

    def read(self, pa, size):
        at = self.check(pa, size)
        return bytes(self.bytes[at : at + size])

    def write(self, pa, data):
        at = self.check(pa, len(data))
        self.bytes[at : at + len(data)] = data


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(b"".join(bytes([n]) * SECTOR for n in range(SECTORS)))
    return path


class Driver:
    """The smallest possible driver; `legacy` places all three parts by one frame number."""

    def __init__(self, disk, legacy=False, accept=FLUSH, ram=None):
        self.ram = ram or Ram()
        self.legacy = legacy
        self.device = Device(Block(disk), LEGACY if legacy else MODERN, self.ram)
        self.seen = 0
        self.desc, self.avail, self.used = DESC, AVAIL, USED
        for status in (1, 3):
            self.set(Reg.STATUS, status)
        self.set(Reg.DRIVER_FEATURES, accept)
        if legacy:
            self.set(Reg.GUEST_PAGE_SIZE, 4096)
            self.set(Reg.QUEUE_NUM, SIZE)
            self.set(Reg.QUEUE_ALIGN, 4096)
            self.set(Reg.QUEUE_PFN, DESC >> 12)
            self.avail, self.used = DESC + 16 * SIZE, DESC + 4096
        else:
            self.set(Reg.DRIVER_FEATURES_SEL, 1)
            self.set(Reg.DRIVER_FEATURES, VERSION_1 >> 32)
            self.set(Reg.STATUS, 11)
            assert self.get(Reg.STATUS) == 11
            self.set(Reg.QUEUE_NUM, SIZE)
            parts = (Reg.QUEUE_DESC, DESC), (Reg.QUEUE_DRIVER, AVAIL), (Reg.QUEUE_DEVICE, USED)
            for register, address in parts:
                self.set(register, address)
                self.set(register + 4, 0)
            self.set(Reg.QUEUE_READY, 1)
        self.set(Reg.STATUS, self.get(Reg.STATUS) | 4)

    def get(self, register):
        return self.device.load(register, 4)

    def set(self, register, value):
        self.device.store(register, 4, value)

    def describe(self, n, address, length, flags=0, following=0):
        self.ram.write(self.desc + 16 * n, struct.pack("<QIHH", address, length, flags, following))

    def submit(self, head=0, index=None):
        """Make a chain available and notify."""
        self.ram.write(self.avail + 4 + 2 * (self.seen % SIZE), struct.pack("<H", head))
        self.seen += 1
        self.ram.write(self.avail + 2, struct.pack("<H", (index or self.seen) & 0xFFFF))
        self.set(Reg.QUEUE_NOTIFY, 0)

    def prepare(self, kind, sector=0, data=b"", room=0):
        """Describe one request in three buffers."""
        self.ram.write(HEADER, struct.pack("<IIQ", kind, 0, sector))
        self.ram.write(STATUS, b"\xff")
        self.describe(0, HEADER, 16, NEXT, 1 if data or room else 2)
        if data:
            self.ram.write(DATA, data)
        self.describe(1, DATA, len(data) or room, NEXT | (WRITE if room else 0), 2)
        self.describe(2, STATUS, 1, WRITE)

    def request(self, kind, sector=0, data=b"", room=0):
        """Do one request; its status byte and what came back."""
        self.prepare(kind, sector, data, room)
        self.submit()
        return self.ram.read(STATUS, 1)[0], self.ram.read(DATA, room)

    def used_entries(self):
        """The used ring's index, and its last element."""
        index = struct.unpack("<H", self.ram.read(self.used + 2, 2))[0]
        last = self.used + 4 + 8 * ((index - 1) % SIZE)
        return index, struct.unpack("<II", self.ram.read(last, 8))

    @property
    def stopped(self):
        return bool(self.get(Reg.STATUS) & 64)


@pytest.fixture(params=[False, True], ids=["modern", "legacy"])
def driver(request, image):
    return Driver(Disk(image), request.param)


# -- the protocol ----------------------------------------------------------


def test_it_says_what_it_is(driver):
    assert driver.get(Reg.MAGIC_VALUE) == int.from_bytes(b"virt", "little")
    assert driver.get(Reg.VERSION) == (1 if driver.legacy else 2)
    assert driver.get(Reg.DEVICE_ID) == 2
    assert driver.get(Reg.QUEUE_NUM_MAX) == QUEUE_MAX
    assert driver.device.load(0x100, 4) == SECTORS  # capacity
    assert driver.device.load(0x114, 4) == SECTOR   # block size


def test_read_write_and_read_again(driver, image):
    assert driver.request(IN, 3, room=SECTOR) == (OK, b"\3" * SECTOR)
    assert driver.used_entries() == (1, (0, SECTOR + 1))
    assert driver.request(OUT, 3, data=b"x" * 2 * SECTOR) == (OK, b"")
    assert driver.used_entries() == (2, (0, 1))
    assert image.read_bytes()[3 * SECTOR : 5 * SECTOR] == b"x" * 2 * SECTOR
    assert driver.request(IN, 4, room=SECTOR) == (OK, b"x" * SECTOR)
    assert not driver.stopped


def test_the_interrupt_is_a_level_until_acknowledged(driver):
    driver.request(IN, room=SECTOR)
    assert driver.get(Reg.INTERRUPT_STATUS) == 1
    driver.set(Reg.INTERRUPT_ACK, 1)
    assert driver.get(Reg.INTERRUPT_STATUS) == 0
    driver.ram.write(driver.avail, b"\1\0")  # the driver polls: no interrupts wanted
    driver.request(IN, room=SECTOR)
    assert driver.get(Reg.INTERRUPT_STATUS) == 0


def test_the_rings_wrap(driver):
    driver.seen = driver.device.state.queue.seen = driver.device.state.queue.done = 0xFFFA
    driver.ram.write(driver.used + 2, struct.pack("<H", 0xFFFA))
    for n in range(3 * SIZE):
        assert driver.request(IN, n % SECTORS, room=SECTOR) == (OK, bytes([n % SECTORS]) * SECTOR)
    assert driver.used_entries()[0] == (0xFFFA + 3 * SIZE) & 0xFFFF


def test_one_buffer_may_hold_header_and_data_and_two_the_answer(driver):
    driver.ram.write(HEADER, struct.pack("<IIQ", IN, 0, 1))
    driver.describe(0, HEADER, 16, NEXT, 1)
    driver.describe(1, DATA, 100, NEXT | WRITE, 2)
    driver.describe(2, DATA + 0x200, SECTOR - 100 + 1, WRITE)  # the rest and the status
    driver.submit()
    assert driver.ram.read(DATA, 101) == b"\1" * 100 + b"\0"
    assert driver.ram.read(DATA + 0x200, SECTOR - 99) == b"\1" * (SECTOR - 100) + bytes([OK])


def test_other_requests(driver):
    assert driver.request(GET_ID, room=20) == (OK, b"disk.img".ljust(20, b"\0"))
    assert driver.request(DO_FLUSH) == (OK, b"")
    assert driver.request(77)[0] == UNSUPP


def test_a_reset_forgets_all(driver):
    driver.request(IN, room=SECTOR)
    driver.set(Reg.STATUS, 0)
    assert driver.get(Reg.STATUS) == driver.get(Reg.INTERRUPT_STATUS) == 0
    assert driver.get(Reg.QUEUE_READY) == driver.get(Reg.QUEUE_PFN) == 0
    driver.submit()  # to a device that is not driven
    assert driver.used_entries()[0] == 1


def test_a_modern_driver_must_accept_version_1_and_only_what_is_offered(image):
    device = Device(Block(Disk(image)), MODERN, Ram())
    for features in (FLUSH, 1 << 63 | VERSION_1):
        device.store(Reg.STATUS, 4, 0)
        for word in (0, 1):
            device.store(Reg.DRIVER_FEATURES_SEL, 4, word)
            device.store(Reg.DRIVER_FEATURES, 4, features >> 32 * word & 0xFFFF_FFFF)
        device.store(Reg.STATUS, 4, 11)
        assert device.load(Reg.STATUS, 4) == 3


# -- the host's disk fails ---------------------------------------------------


def test_flush_is_done_when_it_is_answered(driver, monkeypatch):
    order = []
    monkeypatch.setattr("os.fsync", lambda fd: order.append("fsync"))
    written = driver.ram.write
    monkeypatch.setattr(
        driver.ram, "write", lambda pa, data: (order.append(pa), written(pa, data))
    )
    driver.request(DO_FLUSH)
    assert "fsync" in order
    assert order.index("fsync") < order.index(driver.used + 4)


def test_without_the_flush_feature_each_write_is_on_the_disk(image, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    disk = Disk(image)
    Driver(disk).request(OUT, data=b"x" * SECTOR)
    assert not synced
    Driver(disk, accept=0).request(OUT, data=b"x" * SECTOR)
    assert len(synced) == 1


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_full_disk_is_an_io_error(driver, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"os.{call}", full)
    driver.request(OUT, data=b"x" * SECTOR)
    assert driver.request(DO_FLUSH if call == "fsync" else OUT, data=b"x" * SECTOR)[0] == IOERR
    assert not driver.stopped


def test_a_short_write_of_the_host_is_gone_on_with(driver, image, monkeypatch):
    import os

    whole = os.pwrite
    monkeypatch.setattr("os.pwrite", lambda fd, data, at: whole(fd, bytes(data)[:100], at))
    assert driver.request(OUT, 1, data=b"y" * SECTOR)[0] == OK
    assert image.read_bytes()[SECTOR : 3 * SECTOR] == b"y" * SECTOR + b"\2" * SECTOR


def test_a_file_that_became_short_is_an_io_error(driver, image):
    with open(image, "r+b") as file:
        file.truncate(4 * SECTOR + 100)
    assert driver.request(IN, 3, room=SECTOR)[0] == OK
    assert driver.request(IN, 4, room=SECTOR)[0] == IOERR


@pytest.mark.parametrize(
    ("kind", "sector", "size"),
    [(IN, SECTORS, SECTOR), (IN, SECTORS - 1, 2 * SECTOR), (IN, 2**64 - 1, SECTOR), (IN, 0, 100),
     (OUT, SECTORS, SECTOR), (OUT, 2**55, SECTOR), (OUT, 0, 100)],
)  # fmt: skip
def test_outside_the_disk_is_an_io_error(driver, image, kind, sector, size):
    data = {"data": b"z" * size} if kind == OUT else {"room": size}
    assert driver.request(kind, sector, **data)[0] == IOERR
    assert image.stat().st_size == SECTORS * SECTOR


def test_a_read_only_disk_refuses_writes(image):
    driver = Driver(Disk(image, read_only=True))
    assert driver.get(Reg.DEVICE_FEATURES) & 1 << 5
    assert driver.request(IN, 3, room=SECTOR) == (OK, b"\3" * SECTOR)
    assert driver.request(OUT, data=b"x" * SECTOR)[0] == IOERR
    assert driver.request(DO_FLUSH)[0] == OK


# -- the driver is hostile ---------------------------------------------------

OUTSIDE = BASE + (1 << 16) - 100


@pytest.mark.parametrize(
    "breaks",
    [
        lambda d: d.submit(head=SIZE),
        lambda d: d.submit(index=SIZE + 2),
        lambda d: (d.describe(0, HEADER, 16, NEXT, 0), d.submit()),
        lambda d: (d.describe(0, HEADER, 16, NEXT, SIZE + 1), d.submit()),
        lambda d: (d.describe(0, HEADER, 16, 4), d.submit()),
        lambda d: (d.describe(0, OUTSIDE, 4096), d.submit()),
        lambda d: (d.describe(0, 2**64 - 8, 16), d.submit()),
        lambda d: (d.describe(0, 0, 16), d.submit()),
        lambda d: (d.describe(0, HEADER, 15, NEXT, 2), d.describe(2, STATUS, 1, 2), d.submit()),
        lambda d: (d.describe(0, HEADER, 16), d.submit()),
        lambda d: (d.describe(0, STATUS, 1, 3, 1), d.describe(1, HEADER, 16), d.submit()),
    ],
    ids=["head", "too many", "loop", "next", "indirect", "end of ram", "wraps", "below ram",
         "no header", "no status", "order"],
)  # fmt: skip
def test_a_driver_that_breaks_the_rules_stops_the_device(driver, breaks):
    driver.prepare(IN, room=SECTOR)  # all else is as it should be
    if not driver.legacy:  # where the available ring begins
        driver.describe(SIZE, HEADER, 16, NEXT, 1)
        driver.describe(SIZE + 1, DATA, SECTOR, NEXT | WRITE, 2)
    breaks(driver)
    assert driver.stopped
    assert driver.get(Reg.INTERRUPT_STATUS) == 2
    driver.set(Reg.INTERRUPT_ACK, 2)
    driver.request(IN, room=SECTOR)
    assert driver.used_entries()[0] == 0  # until a reset


@pytest.mark.parametrize("size", [0, 3, QUEUE_MAX * 2, 2**32 - 1])
def test_queue_sizes_that_are_not_offered(image, size):
    driver = Driver(Disk(image))
    driver.set(Reg.QUEUE_READY, 0)
    driver.set(Reg.QUEUE_NUM, size)
    driver.set(Reg.QUEUE_READY, 1)
    driver.set(Reg.QUEUE_NOTIFY, 0)
    assert driver.stopped


def test_a_request_is_bounded(image):
    driver = Driver(Disk(image), ram=Ram(2 * MAX_REQUEST))
    driver.ram.write(HEADER, struct.pack("<IIQ", IN, 0, 0))
    driver.describe(0, HEADER, 16, NEXT, 1)
    driver.describe(1, BASE + 0x10000, MAX_REQUEST + SECTOR, NEXT | WRITE, 2)
    driver.describe(2, STATUS, 1, WRITE)
    driver.submit()
    assert driver.ram.read(STATUS, 1)[0] == IOERR


words = st.integers(0, 2**32 - 1) | st.sampled_from((0, 1, 8, DESC, AVAIL, USED, DESC >> 12))
registers = st.sampled_from([*map(int, Reg), 0x84, 0x94, 0xA4, 0xFC, 0x100, 0x101, 0xFFF])


@settings(max_examples=200, deadline=None)
@given(
    legacy=st.booleans(),
    stores=st.lists(st.tuples(registers, st.sampled_from((1, 2, 4)), words), max_size=20),
    places=st.lists(st.tuples(st.integers(0, 0x3000), st.binary(max_size=16)), max_size=12),
)
def test_no_driver_does_harm(tmp_path_factory, legacy, stores, places):
    path = tmp_path_factory.mktemp("hostile") / "disk.img"
    path.write_bytes(bytes(SECTORS * SECTOR))
    driver = Driver(Disk(path), legacy)
    length = len(driver.ram.bytes)
    for at, data in places:
        driver.ram.write(BASE + at, data)
    driver.submit()
    for register, size, value in stores:
        driver.device.store(register, size, value)
        assert 0 <= driver.device.load(register, size) < 2**32
        driver.device.store(Reg.QUEUE_NOTIFY, 4, 0)
    assert len(driver.ram.bytes) == length
    assert path.stat().st_size == SECTORS * SECTOR


# -- the image ---------------------------------------------------------------


def test_two_runs_on_one_image_are_refused(image):
    first = Disk(image)
    for read_only in (False, True):
        with pytest.raises(DiskError, match="in use by another run"):
            Disk(image, read_only)
    first.close()
    readers = Disk(image, read_only=True), Disk(image, read_only=True)
    with pytest.raises(DiskError, match="in use"):
        Disk(image)
    assert readers[0].sectors == SECTORS


def test_images_that_are_refused(tmp_path):
    import os

    (tmp_path / "short").write_bytes(b"x" * 511)
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("none", "No such file"), ("short", "shorter than one"), ("pipe", "not a disk image"),
        (".", "Is a directory"), ("nul\0", "null"),
    ):  # fmt: skip
        with pytest.raises(DiskError, match=reason):
            Disk(f"{tmp_path}/{name}")
    for name in ("pipe", "."):
        with pytest.raises(DiskError, match="not a disk image"):
            Disk(tmp_path / name, read_only=True)


def test_a_length_is_rounded_down(tmp_path):
    (tmp_path / "odd").write_bytes(b"x" * 1500)
    assert Disk(tmp_path / "odd").sectors == 2


@pytest.mark.parametrize("legacy", [False, True])
def test_it_says_that_it_is_qemus(image, legacy):
    """xv6 and other teaching kernels accept no other vendor."""
    assert Driver(Disk(image), legacy).device.load(Reg.VENDOR_ID, 4) == 0x554D4551
