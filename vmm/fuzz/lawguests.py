"""Answers for the guests on which laws are tried: how they are made, and how one is run.

Must not know what a law requires of a run.
"""

import struct
import tempfile
from functools import cache
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.tlb import recontext
from toyisa.devices.disk import Disk
from toyisa.machine import Machine
from toyisa.tables.bits import SATP_MODE_SV32
from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.tables.insns import BY_NAME
from toyisa.tables.levels import Profile
from toyisa.testing import kernels, machine_states, write_elf
from toyisa.testing.programs import instructions, raw_words, u32
from vmm import engines
from vmm.abi.hypercalls import M2P_PAGES, P2M_PAGES
from vmm.fuzz import workguests
from vmm.fuzz.case import Case
from vmm.fuzz.places import device_entries, devices, skip, table, touches
from vmm.fuzz.pvguests import patched_kernels
from vmm.fuzz.ramdisk import RamDisk
from vmm.fuzz.seen import Seen
from vmm.machine import new_machine

NATIVE = engines.NATIVE
MEM = 1 << 20
KERNEL_BUDGET, STATE_BUDGET = 200_000, 2000  # a kernel ends by itself, a state need not
PATCHED_BUDGET = 5000
WORK_BUDGETS = {False: 200_000, True: 8_000}  # for guests that make much work: unpatched, patched
DISK_BYTES = 1 << 20
PER_TICK = 16
SKIP, ROOT = RAM_BASE + 0x7000, RAM_BASE + 0x8000  # a handler and a table that noise may use


@st.composite
def layouts(draw: st.DrawFn, engine: str) -> dict[str, Any]:
    """Settings of a machine under which its guest must do the same."""
    chosen: dict[str, Any] = {
        "engine": engine, "cost": draw(st.sampled_from(["modern", "p4", "core2"])),
    }  # fmt: skip
    if engine == NATIVE:
        return chosen
    if draw(st.booleans()):
        chosen["scatter"] = draw(st.integers(0, 3))
    shadows = "shadow" in engines.find(engine).paging
    chosen["shadow"] = draw(st.sampled_from([511, 511, 16, 5] if shadows else [16, 5]))
    if not engines.find(engine).leaks:
        chosen["profile"] = draw(st.sampled_from(["strict", "leaky"]))
    if engine in engines.with_option("force"):
        chosen["options"] = {
            "force": draw(st.sampled_from(["inline", "inline", "callout", "trap"])),
            "adapt": draw(st.booleans()),
            "window": draw(st.sampled_from(["top", "top", "bottom"])),
            "patience": draw(st.sampled_from([1, 32])),
            "width": draw(st.sampled_from([1, 6, 14])),
        }
        if chosen["options"]["force"] == "trap":
            chosen["profile"] = "strict"
    return chosen


@st.composite
def booting(draw: st.DrawFn, engine: str, *, max_size: int = 30) -> Case:
    """A kernel that boots and ends."""
    try:
        kernel = draw(kernels(max_size=max_size))
    except ValueError:  # longer than the room for it
        reject()
    settings = {**draw(layouts(engine)), "budget": KERNEL_BUDGET}
    return Case(kernel.elf(), settings, None, kernel.listing("_start", "finish"))


@st.composite
def running(draw: st.DrawFn, engine: str) -> Case:
    """A machine in the middle of something; it need not end."""
    state = draw(machine_states())
    start = {"pc": state.pc, "priv": state.priv, "x": state.x, "csr": state.csr}
    pieces = {RAM_BASE + at: data for at, data in sorted(state.ram.items())}
    settings = {**draw(layouts(engine)), "budget": STATE_BUDGET}
    return Case(write_elf(pieces, RAM_BASE), settings, start, repr(state))


def is_patched(engine: str) -> bool:
    """Whether the engine runs only kernels built for `pv`."""
    return engine != NATIVE and engines.find(engine).build == "pv"


@st.composite
def _patched(draw: st.DrawFn, engine: str) -> Case:
    """A kernel that makes hypercalls of any kind, and never ends by itself."""
    image, listing = draw(patched_kernels())
    return Case(image, {**draw(layouts(engine)), "budget": PATCHED_BUDGET}, None, listing)


def guests(engine: str) -> st.SearchStrategy[Case]:
    """Guests that keep the rules by which all correct machines agree; patched guests keep none."""
    if is_patched(engine):
        return _patched(engine)
    return st.one_of(booting(engine), booting(engine), running(engine))


@st.composite
def _mutated(draw: st.DrawFn, engine: str) -> Case:
    """A kernel with random words in its code, its tables or its data."""
    kernel = draw(kernels(max_size=15))
    word = st.one_of(raw_words, instructions())
    for _ in range(draw(st.integers(1, 6))):
        kernel.words[draw(st.integers(0, len(kernel.words) - 1))] = draw(word)
    for touch in draw(st.lists(touches(), max_size=3)):  # before paging is on, or after
        first = (kernel.entry - RAM_BASE) // 4
        at = draw(st.integers(first, len(kernel.words) - len(touch)))
        kernel.words[at : at + len(touch)] = touch
    word = st.one_of(raw_words, instructions(), device_entries)
    for at in draw(st.lists(st.sampled_from(sorted(kernel.data)), max_size=6)):
        data = bytearray(kernel.data[at])
        place = 4 * draw(st.integers(0, len(data) // 4 - 1))
        data[place : place + 4] = struct.pack("<I", draw(word))
        kernel.data[at] = bytes(data)
    settings = {**draw(layouts(engine)), "budget": 10_000}
    return Case(kernel.elf(), settings, None, kernel.listing("_start", "finish"))


@st.composite
def _noise(draw: st.DrawFn, engine: str) -> Case:
    """Random words as a kernel, in a loop, from random registers.

    A trap begins another round, or is skipped.
    """
    one = st.one_of(raw_words, instructions()).map(lambda word: [word])
    drawn = draw(st.lists(st.one_of(one, one, one, touches()), min_size=1, max_size=60))
    words = [word for few in drawn for word in few]
    words.append(BY_NAME["jal"].encode(0, -4 * len(words)))
    code = struct.pack(f"<{len(words)}I", *words)
    near = st.one_of(st.integers(RAM_BASE, RAM_BASE + MEM - 1), devices)
    x = [0, *(draw(st.one_of(u32, near)) for _ in range(31))]
    satp = st.one_of(st.just(0), st.just(SATP_MODE_SV32 | ROOT >> 12), u32)
    stvec = draw(st.sampled_from([RAM_BASE, SKIP, SKIP]))
    csr = {"stvec": stvec, "satp": draw(satp), "sie": draw(u32) & CSRS["sie"].writable}
    start = {"pc": RAM_BASE, "priv": 1, "x": x, "csr": csr}
    settings = {**draw(layouts(engine)), "budget": STATE_BUDGET}
    listing = " ".join(f"{word:08x}" for word in words)
    root = table(draw(st.sampled_from([0xCF, 0x0F])))
    pieces = {RAM_BASE: code, SKIP: skip(), ROOT: root}
    return Case(write_elf(pieces, RAM_BASE), settings, start, listing)


def hostile(engine: str) -> st.SearchStrategy[Case]:
    """Guests that keep no rules."""
    if is_patched(engine):
        return _patched(engine)
    return st.one_of(_mutated(engine), _noise(engine), running(engine))


@st.composite
def _working(draw: st.DrawFn, engine: str) -> Case:
    """A kernel that makes much work with few instructions, and does not end."""
    patched = is_patched(engine)
    image, listing = draw(workguests.patched() if patched else workguests.unpatched())
    settings = {**draw(layouts(engine)), "budget": WORK_BUDGETS[patched], "disk": not patched}
    return Case(image, settings, None, listing)


def laborious(engine: str) -> st.SearchStrategy[Case]:
    """Guests that keep no rules; many of them make much work."""
    return st.one_of(_working(engine), _working(engine), hostile(engine))


# -- running ---------------------------------------------------------------


def machine(case: Case, seen: Seen, clock: str, engine: str | None = None) -> Machine:
    """A machine ready to run the case, on its engine unless another is named."""
    chosen = case.settings
    engine = engine or chosen["engine"]
    common: dict[str, Any] = {
        "mem": MEM, "cost": chosen["cost"], "clock": clock,
        "profile": typed_profile(chosen),
    }  # fmt: skip
    if engine != NATIVE:
        common |= {key: chosen[key] for key in ("scatter", "shadow", "options") if key in chosen}
    made = new_machine(engine, **common)
    if chosen.get("disk"):
        made.attach(_disk())
    seen.watch(made)
    if "disk" in chosen:
        made.attach(RamDisk(), chosen["disk"] == "legacy")
    made.load(case.image)
    if "input" in chosen:
        made.feed(chosen["input"].encode())
        made.memory.console.interval = 0  # input is there whenever it is asked for
    made.end_input()
    if case.start is not None:
        put(made, case.start)
    return made


@cache
def _disk() -> Disk:
    """An image of zeros that guests read."""
    with tempfile.NamedTemporaryFile(prefix="toyvmm-") as image:
        image.truncate(DISK_BYTES)
        return Disk(image.name, read_only=True)


def typed_profile(settings: dict[str, Any]) -> Profile:
    """The machine's profile that settings name."""
    return Profile[settings.get("profile", "strict").upper()]


def put(made: Machine, start: dict[str, Any]) -> None:
    """Set the hart as a case starts it."""
    hart = made.hart
    hart.x[:32] = start["x"]
    hart.pc, hart.priv = start["pc"], start["priv"]
    for name, value in start["csr"].items():
        hart.csr[name] = value
    hart.clock.per_tick = PER_TICK
    recontext(hart)


def run(made: Machine, case: Case, seen: Seen, budget: int | None = None) -> dict[str, Any]:
    """Run to the end or the budget; return what the guest and its owner can see of it."""
    end = made.run(case.settings["budget"] if budget is None else budget)
    seen.note(made)
    return {
        "end": end.name, "code": made.code, "console": made.output().decode("latin-1"),
        "pc": f"{int(made.hart.pc):#x}", "instret": made.instret, "trail": int(made.hart.trail),
        "traps": made.traps_by_cause(), "guest_digest": made.guest_digest(),
    }  # fmt: skip


def foreign_frames(made: Any) -> list[np.ndarray]:
    """The bytes of frames that are nobody's: next to the guest's, and those that only shadows
    use.
    """
    first, end = made._first, made._first + int(made.vm.frames)
    unused = range(int(made.vm.shadow.frames)) if made.vm.direct.active else ()
    return [made.host.ram[n * PAGE : (n + 1) * PAGE] for n in (*unused, first - 1, end)]


def monitor_maps(made: Any) -> np.ndarray:
    """The bytes of frames that a guest on its own tables may read: P2M and M2P."""
    if not made.vm.direct.active:
        return made.host.ram[:0]
    first = int(made.vm.own) * PAGE
    return made.host.ram[first : first + (P2M_PAGES + M2P_PAGES) * PAGE]
