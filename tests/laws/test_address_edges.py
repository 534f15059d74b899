"""Addresses and sizes at the edges, one place after the other, on every engine.

The expected result is computed in Python's unlimited integers; then each engine's guest must
do as the bare machine's.  `toyvmm fuzz --law edges` tries what is not here.
"""

import struct

import pytest

from tests.pvdomain import FRAMES, Domain
from tests.virtual import compare, each_engine
from toyisa.core.firmware import DBCN, INVALID_PARAM
from toyisa.core.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, VIRTIO, VIRTIO_SLOTS
from toyisa.core.plic import SIZE as PLIC_SIZE
from toyisa.devices.virtio import NEEDS_RESET, Reg
from vmm.abi.hypercalls import Call, Error
from vmm.fuzz.edgecases import AVAILABLE, DESCRIPTORS, USED
from vmm.fuzz.edgeguests import RESULTS, Row, kernel
from vmm.fuzz.edges import END, LEAF, M32, MEM, PAGES, ROOT, WINDOW
from vmm.fuzz.ramdisk import RamDisk

M64 = (1 << 64) - 1
BUDGET = 400_000
V, RWX = 0x01, 0xCF
POWERS = [(1 << k) + near for k in range(65) for near in (-1, 0, 1)]
ENDS = [place + near for place in (
    RAM_BASE, END, (1 << 63) + RAM_BASE, (1 << 63) + END, (1 << 63) - END, (1 << 64) - MEM,
) for near in (-PAGE, -8, -1, 0, 1, 8)]  # fmt: skip
LONGS = sorted({place & M64 for place in [*POWERS, *ENDS]})


def in_ram(at, size):
    return at >= RAM_BASE and at + size <= END


def outcome(engine, rows, *, paged=False, pages=None, disk=None):
    """The result of the rows on the bare machine, which must be the engine's too; and the bare
    machine.
    """
    image, made = kernel(rows, False, paged, pages or {}), []

    def prepare(machine):
        made.append(machine)
        if disk:
            machine.attach(RamDisk(), legacy=disk == "legacy")
        machine.load(image)
        machine.end_input()

    return compare(prepare, BUDGET, engine, mem=MEM), made[0]


def answers(machine, count):
    """a0 and a1 after each row, if none of them trapped."""
    data = machine.ram[RESULTS - RAM_BASE :][: 8 * count].tobytes()
    return [*struct.iter_unpack("<II", data)]


@each_engine
def test_console_calls(engine):
    calls = [(function, size, at) for function in (0, 1) for at in [*LONGS[::2], *ENDS]
             for size in (0, 1, PAGE, 0x8100_0000, M32)]  # fmt: skip
    rows = [Row("ecall", (size, at & M32, at >> 32, 0, function, DBCN))
            for function, size, at in calls]  # fmt: skip
    bare, machine = outcome(engine, rows)
    assert bare.end == "HALTED"
    for (function, size, at), (error, _) in zip(calls, answers(machine, len(rows)), strict=True):
        taken = min(size, PAGE) if function == 0 else size  # "may write less"
        assert error == (0 if in_ram(at, taken) else INVALID_PARAM & M32), (function, size, at)


FRAME_EDGES = sorted({
    frame & 0x3FFFFF
    for frame in [*((1 << k) + near for k in range(23) for near in (-1, 0, 1)),
                  *(place // PAGE + near for place in (RAM_BASE, END) for near in (-1, 0, 1))]
})  # fmt: skip
REGIONS = ((FINISHER, 4), (PLIC_BASE, PLIC_SIZE), (UART, 8), (VIRTIO, VIRTIO_SLOTS * PAGE))
NO_DEVICE = [
    frame for frame in FRAME_EDGES
    if not in_ram(frame * PAGE, PAGE)
    and not any(base <= frame * PAGE < base + size for base, size in REGIONS)
]  # fmt: skip
MEGAPAGES = [*(1 << k for k in range(10, 22)), 0x3FFC00, 0x3FF800, END // PAGE + 0x300 & ~0x3FF]


def fill(at, pte, *acts):
    return [Row("entry", (at, pte)), *(Row(act, (where, 0)) for act, where in acts)]


@each_engine
def test_entries_that_lead_out_of_ram(engine):
    """At both levels, as a leaf and as a table; the first and last word; load, store and fetch."""
    access = [("lw", WINDOW), ("sw", WINDOW + PAGE - 4), ("jalr", WINDOW), ("amoadd.w", WINDOW)]
    rows = [Row("satp", (1 << 31 | ROOT // PAGE,))]
    for frame in NO_DEVICE:
        rows += fill(LEAF, frame << 10 | RWX, *access)
    far = [frame for frame in MEGAPAGES if frame >= END // PAGE]
    last = WINDOW + (1 << 22) - 4
    for frame in far:
        rows += fill(ROOT + 4, frame << 10 | RWX, ("lw", WINDOW), ("sw", last), ("jalr", last))
    for frame in NO_DEVICE:
        rows += fill(ROOT + 4, frame << 10 | V, *access)
    bare, _ = outcome(engine, rows)
    assert bare.end == "HALTED"
    assert len(far) > 3
    leaves, tables = len(NO_DEVICE), len(NO_DEVICE)
    assert bare.traps == {
        "load_access": leaves + len(far) + tables, "insn_access": leaves + len(far) + tables,
        "store_access": 2 * leaves + len(far) + 2 * tables, "ecall_s": 1,
    }  # fmt: skip


@each_engine
def test_pages_at_the_ends_of_ram(engine):
    """The last page, all of it; and a superpage whose last frames do not exist."""
    rows = [Row("satp", (1 << 31 | ROOT // PAGE,))]
    rows += fill(LEAF, (END // PAGE - 1) << 10 | RWX, ("lw", WINDOW), ("sw", WINDOW + PAGE - 4))
    rows += fill(ROOT + 4, RAM_BASE // PAGE << 10 | RWX, ("lw", WINDOW + MEM - 4),
                 ("sh", WINDOW + MEM - 2), ("lw", WINDOW + MEM), ("sb", WINDOW + MEM))  # fmt: skip
    bare, _ = outcome(engine, rows)
    assert bare.traps == {"load_access": 1, "store_access": 1, "ecall_s": 1}


@each_engine
def test_any_root(engine):
    """A root table that does not exist: no instruction can be fetched, not even the handler's."""
    for frame in (0, 1, 0x10000, RAM_BASE // PAGE - 1, END // PAGE, 1 << 20, 1 << 21, 0x3FFFFF):
        bare, _ = outcome(engine, [Row("satp", (1 << 31 | 1 << 22 | frame,))])
        assert bare.end == "FATAL"
        assert bare.traps == {"insn_access": 64}
    bare, _ = outcome(engine, [Row("satp", (1 << 22 | 0x3FFFFF,))])  # paging stays off
    assert bare.end == "HALTED"


WIDTHS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4, "sb": 1, "sh": 2, "sw": 4,
          "lr.w": 4, "amoadd.w": 4}  # fmt: skip


def answered(at, act):
    """Whether there is something to access, by the map in memory.py."""
    if in_ram(at, WIDTHS[act]):
        return True
    if act in ("lr.w", "amoadd.w"):
        return False
    there = any(base <= at < base + size for base, size in REGIONS)
    return there and not (PLIC_BASE <= at < PLIC_BASE + PLIC_SIZE and at % 4)


@each_engine
@pytest.mark.parametrize("paged", [False, True])
def test_every_width_at_the_ends_of_what_there_is(engine, paged):
    places = [at + near for base, size in (*REGIONS, (RAM_BASE, MEM)) for at in (base, base + size)
              for near in range(-8, 9)]  # fmt: skip
    touched = [
        (act, at) for act, width in WIDTHS.items() for at in places
        if at % width == 0 and not RAM_BASE <= at < END - PAGE  # where the code is
    ]  # fmt: skip
    bare, _ = outcome(engine, [Row(act, (at, 0)) for act, at in touched], paged=paged)
    refused = [act for act, at in touched if not answered(at, act)]
    loads = sum(act[0] == "l" for act in refused)
    pages = bare.traps.get("load_page", 0) + bare.traps.get("store_page", 0)
    assert bare.end == "HALTED"
    # Where the root table maps nothing it is a page fault; the second half of lr.w's row is sc.w.
    both = sum(act == "lr.w" for act in refused)
    total = sum(n for name, n in bare.traps.items() if name != "ecall_s")
    assert total == len(refused) + both
    assert bare.traps.get("load_access", 0) <= loads
    assert bool(pages) == paged


def driven(part, at, legacy):
    """Rows by which a driver sets the queue up, with one part of it at `at`."""
    where = {Reg.QUEUE_DESC: DESCRIPTORS, Reg.QUEUE_DRIVER: AVAILABLE, Reg.QUEUE_DEVICE: USED}
    where[part] = at
    writes = [(Reg.STATUS, 0), (Reg.STATUS, 3)]
    writes += [] if legacy else [(Reg.DRIVER_FEATURES_SEL, 1), (Reg.DRIVER_FEATURES, 1)]
    writes += [(Reg.STATUS, 11), (Reg.QUEUE_SEL, 0), (Reg.QUEUE_NUM, 8)]
    if legacy:
        writes += [(part, at)]
    else:
        writes += [(reg + 4 * n, place >> 32 * n & M32) for reg, place in where.items()
                   for n in (0, 1)]  # fmt: skip
        writes += [(Reg.QUEUE_READY, 1)]
    writes += [(Reg.STATUS, 15), (Reg.QUEUE_NOTIFY, 0)]
    return [*(Row("sw", (VIRTIO + reg, value)) for reg, value in writes),
            Row("lw", (VIRTIO + Reg.STATUS,))]  # fmt: skip


def request():
    """One chain that reads a sector, as it is in the ring."""
    chain = (16, 1, 1), (512, 3, 2), (1, 2, 0)
    return {
        DESCRIPTORS: b"".join(
            struct.pack("<QIHH", PAGES + (3 + n) * PAGE, *one) for n, one in enumerate(chain)
        ),
        AVAILABLE: struct.pack("<3H", 0, 1, 0),
    }


@each_engine
def test_queues_anywhere(engine):
    """Each part of a modern queue at the edges of 64 bits: the device stops until it is reset."""
    parts = (Reg.QUEUE_DESC, Reg.QUEUE_DRIVER, Reg.QUEUE_DEVICE)
    edges = [at for at in [*LONGS[::4], END, M64, 1 << 32, 1 << 63]
             if not in_ram(at, 1) and not RAM_BASE - PAGE <= at < RAM_BASE]  # fmt: skip
    tried = [(part, at) for part in parts for at in edges]
    rows = [row for part, at in tried for row in driven(part, at, False)]
    each = len(rows) // len(tried)
    bare, machine = outcome(engine, rows, pages=request(), disk="modern")
    assert bare.end == "HALTED"
    told = answers(machine, len(rows))[each - 1 :: each]
    assert all(status & NEEDS_RESET for _, status in told)


@each_engine
def test_legacy_queues_anywhere(engine):
    rows = []
    for register in (Reg.GUEST_PAGE_SIZE, Reg.QUEUE_ALIGN, Reg.QUEUE_PFN):
        for value in (0, 1, 2, 3, PAGE - 1, PAGE, 0x7FFFFFFF, 0x80000000, 0x80100, M32 - 1, M32):
            rows += driven(register, value, True)
    bare, _ = outcome(engine, rows, disk="legacy")
    assert bare.end == "HALTED"


ADDRESSES = (0, 1 << 30, RAM_BASE - 20, RAM_BASE - 4, END - 4, END, END + 4, M32 - 15, M32 - 3)


@pytest.fixture(scope="module")
def domain():
    made = Domain()
    assert made.machine.vm.frames == FRAMES
    return made


def test_lists_of_hypercalls_anywhere(domain):
    """They are read as far as they lie in RAM, and no further."""
    domain.fresh()
    for at in ADDRESSES:
        for number in (Call.UPDATE_PTES, Call.MULTICALL):
            for count in (1, 2, 512):
                answer = domain.call(number, at, count, 0)
                assert answer == Error.ADDRESS & M32, (hex(at), number, count)
            assert domain.call(number, at, 0, 0) == 0
            for count in (2049, 1 << 31, M32):
                assert domain.call(number, at, count, 0) == Error.INVALID & M32
        if not in_ram(at, 16):
            assert domain.call(Call.SET_TRAP, RAM_BASE, at, 0) == Error.ADDRESS & M32
    domain.check()


@pytest.mark.parametrize("number", [Call.SET_PTE, Call.SET_PGD, Call.SET_PTE_FLUSH, Call.NEW_BASE,
                                    Call.PIN_TABLE, Call.UNPIN_TABLE])  # fmt: skip
def test_frames_and_entries_anywhere(domain, number):
    domain.fresh()
    table = int(domain.entry_of(RAM_BASE))
    for frame in FRAME_EDGES:
        for bits in (0xC7, 0xCF, V, 0):
            pte = frame << 10 | bits
            domain.call(number, table, pte, 0)
            domain.call(number, frame << 12 & M32 | 4, pte, M32)
            domain.call(number, 1 << 31 | frame, frame & 3, 0)
    domain.check()
