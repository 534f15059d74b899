"""Answers for the cases of the law `edges`: which rows a guest does, and in which memory.

Must not know what is required of a run, nor how a row is done (`edgeguests.py`).
"""

import struct
from typing import Any

from hypothesis import strategies as st

from toyisa.core import firmware as sbi
from toyisa.core.memory import PAGE, RAM_BASE, VIRTIO
from toyisa.devices.virtio import Reg
from toyisa.tables.bits import ASID, SATP_ASID_MASK, SATP_ASID_SHIFT
from vmm.abi.hypercalls import AS_ROOT, CALLS_END, FIRST, MAX_BATCH, MAX_CALLS, Call
from vmm.engines.pv import FRAMES
from vmm.fuzz.case import Case
from vmm.fuzz.edgeguests import Row, kernel
from vmm.fuzz.edges import (
    END,
    LEAF,
    LIMITS,
    M32,
    M64,
    PAGES,
    ROOT,
    entries,
    frames,
    longs,
    mapped,
    sizes,
    words,
)  # fmt: skip
from vmm.fuzz.lawguests import is_patched, layouts

Rows = list[Row]
BUDGET = 4000
LIST, NUMBERS = RAM_BASE + 0x40000, RAM_BASE + 0x41000  # for patched kernels: plain memory
DESCRIPTORS, AVAILABLE, USED = PAGES, PAGES + PAGE, PAGES + 2 * PAGE
EXTENSIONS = (sbi.BASE, sbi.TIME, sbi.IPI, sbi.RFENCE, sbi.HSM, sbi.SRST)
LOADS, STORES = ("lb", "lbu", "lh", "lhu", "lw"), ("sb", "sh", "sw")
ACCESSES = (*LOADS, *STORES, "lw", "sw", "lr.w", "sc.w", "amoadd.w", "lw+2047", "lw-2048",
            "sw+2047", "sw-2048", "probe.r", "probe.w", "fence")  # fmt: skip
BY_ZERO = ("lw-4(x0)", "sw-4(x0)", "lw2044(x0)", "sw-2048(x0)")
# Acts that end the run, or are likely to
ENDING = ("jalr", "satp", "timer", "stvec", "sie", "user", "wfi")


def _call(extension: int, function: int, *args: int) -> Row:
    return Row("ecall", (*args, *[0] * (4 - len(args)), function, extension))


@st.composite
def _console(draw: st.DrawFn) -> Rows:
    """The debug console, which is given memory: anywhere, or up to where a sum wraps."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        size, at = draw(sizes), draw(longs)
        if draw(st.booleans()):
            size = draw(st.one_of(sizes, st.integers(1 << 31, M32)))
            at = (draw(st.sampled_from(LIMITS)) - size + draw(st.integers(-2, 2))) & M64
        function = draw(st.sampled_from([0, 1, 1, 2]))
        rows.append(_call(sbi.DBCN, function, size, at & M32, at >> 32))
    return rows


@st.composite
def _sbi(draw: st.DrawFn) -> Rows:
    extension = draw(st.one_of(st.integers(0, 9), st.sampled_from(EXTENSIONS), words))
    function = draw(st.one_of(st.integers(0, 7), words))
    return [_call(extension, function, *(draw(words) for _ in range(4)))]


@st.composite
def _touches(draw: st.DrawFn) -> Rows:
    act = draw(st.sampled_from((*ACCESSES, *BY_ZERO)))
    return [Row(act, (draw(words), draw(words)))]


@st.composite
def _mappings(draw: st.DrawFn) -> Rows:
    """An entry at either level, and accesses through it."""
    table, index, at = draw(st.sampled_from([
        (ROOT, 1, None), (LEAF, 0, None), (LEAF, 1, None), (LEAF, 1023, None),
        (ROOT, 0, 0), (ROOT, 1023, 0xFFC0_0000),
    ]))  # fmt: skip
    rows = [Row("entry", (table + 4 * index, draw(entries)))]
    for _ in range(draw(st.integers(1, 3))):
        where = draw(mapped) if at is None else (at + draw(mapped)) & M32
        rows.append(Row(draw(st.sampled_from((*ACCESSES, "jalr"))), (where, draw(words))))
    return rows


@st.composite
def _endings(draw: st.DrawFn) -> Rows:
    act = draw(st.sampled_from(ENDING))
    if act == "satp":
        return [Row(act, (draw(frames) | draw(st.sampled_from([1, 1, 0])) << 31,))]
    return [Row(act, (draw(words), draw(words)))]


@st.composite
def _queues(draw: st.DrawFn) -> Rows:
    """The disk's queue, set up as a driver does, with one or two of its numbers at an edge."""
    where = {Reg.QUEUE_DESC: DESCRIPTORS, Reg.QUEUE_DRIVER: AVAILABLE, Reg.QUEUE_DEVICE: USED}
    for part in draw(st.lists(st.sampled_from(list(where)), max_size=2)):
        where[part] = draw(longs)
    legacy = [
        (Reg.GUEST_PAGE_SIZE, draw(st.one_of(st.just(PAGE), sizes))),
        (Reg.QUEUE_ALIGN, draw(st.one_of(st.just(PAGE), sizes))),
        (Reg.QUEUE_PFN, draw(st.one_of(st.just(DESCRIPTORS // PAGE), words))),
    ]
    size = draw(st.one_of(st.just(8), st.just(8), sizes))
    writes = [
        (Reg.STATUS, 0), (Reg.STATUS, 3), (Reg.DRIVER_FEATURES_SEL, 1), (Reg.DRIVER_FEATURES, 1),
        (Reg.STATUS, 11), (Reg.QUEUE_SEL, 0), (Reg.QUEUE_NUM, size),
        *((part, at & M32) for part, at in where.items()),
        *((part + 4, at >> 32) for part, at in where.items()), *legacy,
        (Reg.QUEUE_READY, 1), (Reg.STATUS, 15),
        (Reg.QUEUE_NOTIFY, draw(st.sampled_from([0, 0, 0, 1, M32]))),
    ]  # fmt: skip
    rows = [Row("sw", (VIRTIO + register, value)) for register, value in writes]
    return [*rows, Row("lw", (VIRTIO + Reg.STATUS,)), Row("lw", (USED,))]


@st.composite
def _rings(draw: st.DrawFn) -> dict[int, bytes]:
    """The content of the queue's memory: some descriptors; the first chains are requests to the
    disk.
    """
    def place(usual: int) -> int:
        return draw(longs) if draw(st.integers(0, 4)) == 0 else usual

    def length(usual: int) -> int:
        return draw(sizes) if draw(st.integers(0, 4)) == 0 else usual

    def after(usual: int) -> int:
        other = st.sampled_from([0, 1, 7, 8, 0xFFFF])
        return draw(other) if draw(st.integers(0, 4)) == 0 else usual

    usual = (16, 1), (512, 3), (1, 2)  # a request's header, its data, room for its status
    some = b"".join(
        struct.pack("<QIHH", place(PAGES + (3 + n) * PAGE), length(size), flags, after(n + 1))
        for n, (size, flags) in enumerate(usual)
    )
    index = draw(st.sampled_from([1, 1, 1, 2, 8, 9, 0x8000, 0xFFFF]))
    sector = draw(st.one_of(st.integers(0, 16), longs))
    kind = draw(st.sampled_from([0, 0, 1, 4, 8, 9]))
    heads = [draw(st.sampled_from([0, 0, 0, 1, 7, 8, 0xFFFF])) for _ in range(8)]
    return {
        DESCRIPTORS: some, AVAILABLE: struct.pack("<2H8H", 0, index, *heads),
        # The layout of a legacy queue
        DESCRIPTORS + 16 * 8: struct.pack("<2H8H", 0, index, *heads),
        PAGES + 3 * PAGE: struct.pack("<IIQ", kind, 0, sector),
    }  # fmt: skip


def _unpatched() -> st.SearchStrategy[Rows]:
    return st.one_of(_console(), _console(), _sbi(), _touches(), _touches(), _mappings(),
                     _mappings(), _queues(), _endings())  # fmt: skip


# -- patched: hypercalls ----------------------------------------------------


# The edges of a domain's own memory, and where its first tables may be.
_lists = st.one_of(
    words, st.sampled_from([LIST, NUMBERS - 4, NUMBERS - 20, END - 4, END - 8, END - 16, END - 20]),
)
_near_end = st.builds(lambda page, at: (END - page * PAGE + at) & M32, st.integers(0, 6),
                      st.sampled_from([0, 1, 4, 1024, 2048, 4092]))  # fmt: skip
_counts = st.one_of(st.integers(0, 4), sizes, st.sampled_from([
    MAX_BATCH, MAX_BATCH + 1, MAX_CALLS, MAX_CALLS + 1]))  # fmt: skip


@st.composite
def _ptes(draw: st.DrawFn) -> int:
    """An entry whose frame is at an edge of the domain's frames in the machine, or anywhere."""
    if draw(st.booleans()):
        return draw(entries)
    own = RAM_BASE // PAGE + FRAMES + draw(st.sampled_from([16, 5, 511]))
    frame = own + draw(st.sampled_from([-1, 0, 1, 255, 256, 257, 258]))
    return frame << 10 & M32 | draw(st.sampled_from([0xCF, 0xC7, 0xC3, 0x01, 0x00]))


@st.composite
def _hypercalls(draw: st.DrawFn) -> Rows:
    number = draw(st.integers(0, CALLS_END))
    args = _arguments(draw, number)
    return [Row("ecall", (*args, 0, 0, FIRST + number))]


def _arguments(draw: st.DrawFn, number: int) -> list[int]:
    """a0 to a2 of a hypercall, by what the call takes them for."""
    first = st.one_of(words, _near_end)
    match number:
        case Call.UPDATE_PTES | Call.MULTICALL:
            return [draw(_lists), draw(_counts), 0]
        case Call.SET_PTE | Call.SET_PGD | Call.SET_PTE_FLUSH:
            return [draw(first), draw(_ptes()), draw(words)]
        case Call.NEW_BASE:
            return [draw(frames) | draw(st.sampled_from([1, 1, 0])) << 31, 0, 0]
        case Call.SET_TRAP:
            return [draw(words), draw(_lists), 0]
        case Call.PIN_TABLE:
            return [draw(first), draw(st.one_of(st.integers(0, 3), words)), 0]
    return [draw(first) for _ in range(3)]


@st.composite
def _lists_of_calls(draw: st.DrawFn) -> Rows:
    """A multicall or a batch; its list is written first, usually at an edge."""
    at, many = draw(_lists), draw(st.booleans())
    stored: list[int] = []
    for _ in range(draw(st.integers(1, 3))):
        if many:
            number = draw(st.integers(0, CALLS_END))
            stored += [FIRST + number, *_arguments(draw, number), 0]
        else:
            stored += [draw(st.one_of(words, _near_end)) | draw(st.sampled_from([0, AS_ROOT])),
                       draw(_ptes())]  # fmt: skip
    rows = [Row("sw", ((at + 4 * n) & M32, word)) for n, word in enumerate(stored)]
    call = Call.MULTICALL if many else Call.UPDATE_PTES
    return [*rows, Row("ecall", (at, draw(_counts), 0, 0, 0, FIRST + call))]


def _patched() -> st.SearchStrategy[Rows]:
    return st.one_of(_hypercalls(), _hypercalls(), _hypercalls(), _lists_of_calls(),
                     _lists_of_calls(), _console(), _sbi(), _touches())  # fmt: skip


def _apart(n: int, row: Row) -> Row:
    """Put each root table under an ASID of its own; otherwise old translations may be stale."""
    if row.act != "satp":
        return row
    return Row("satp", (row.args[0] & ~SATP_ASID_MASK | (n + 1 & ASID) << SATP_ASID_SHIFT,))


@st.composite
def cases(draw: st.DrawFn, engine: str) -> Case:
    """A few acts, each of one or more rows; and what gdb asks for when they are done."""
    patched = is_patched(engine)
    acts = draw(st.lists(_patched() if patched else _unpatched(), min_size=1, max_size=8))
    rows = [row for act in acts for row in act]
    rows = [_apart(n, row) for n, row in enumerate(rows)]
    settings: dict[str, Any] = {
        **draw(layouts(engine)), "budget": BUDGET, "slice": BUDGET, "input": "typed" * 20,
    }  # fmt: skip
    pages = {}
    if not patched:
        settings["disk"] = draw(st.sampled_from(["modern", "legacy"]))
        pages = draw(_rings()) if any(row.args[:1] == (VIRTIO + Reg.QUEUE_NOTIFY,)
                                      for row in rows) else {}  # fmt: skip
    settings["gdb"] = draw(st.lists(st.tuples(longs, longs).map(list), max_size=3))
    image = kernel(rows, patched, draw(st.booleans()), pages)
    return Case(image, settings, None, "\n".join(map(str, rows)))
