"""Answers for what one instruction does in one state of the machine, by running it.

A state is a *context* (the level and what root denies it), values of the privileged
resources, and one thing in which it may differ from another state: a resource, the tables, or
where everything lies.  Must not know what a difference means (`classify.py`).

The program is the same in every state: it sees three pages at the same virtual addresses with
the same contents, whatever frames and tables they have.

    0x0040_0000  code: a load that warms the TLBs, then the instruction
    0x0040_1000  data, where rs1 points; its PTE is what "tables" changes
    0x0040_2000  more data; nothing ever changes here
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from toyisa.core.execute import execute
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.state import CSR_FIELDS, NO_TAG
from toyisa.core.tlb import flush, recontext, reserve
from toyisa.machine import Machine
from toyisa.tables import causes
from toyisa.tables.bits import BITS, SATP_ASID_SHIFT, SATP_MODE_SV32
from toyisa.tables.exits import Reason
from toyisa.tables.insns import BY_NAME as INSNS
from toyisa.tables.levels import Level, Profile, STraps

CODE, DATA, MORE = 0x00400000, 0x00401000, 0x00402000
FRAMES = {False: RAM_BASE + 0x13000, True: RAM_BASE + 0x55000}  # by `moved`: root, leaves, pages
CONTENTS = {
    DATA: np.tile(np.arange(256, dtype=np.uint8), 16),
    MORE: np.tile(np.arange(256, dtype=np.uint8)[::-1], 16),
}
V, R, W, X, U, A, D = (BITS[f"PTE_{bit}"] for bit in "VRWXUAD")
WARM = INSNS["lw"].encode(0, 0, 8)

# Register values; operands are chosen among them.
ONES, ZEROS, AT_DATA, AT_MORE = 9, 10, 6, 8


@dataclass(frozen=True)
class Context:
    """A level, and whether root denies it the guarded instructions."""

    name: str
    priv: int
    s_traps: int


BARE_S = Context("S on a bare machine", Level.S, 0)
DEPRIVILEGED = Context("deprivileged S", Level.S, STraps.ALL)
USER = Context("U", Level.U, STraps.ALL)

# Two settings of the resources, such that each bit is 0 in one and 1 in the other, if the program
# can still run.
BASES: tuple[dict[str, int], ...] = (
    {"sstatus": 0x00040020, "sie": 0x020, "stvec": 0x00400800, "scounteren": 0, "sip": 2,
     "sscratch": 0x11111110, "sepc": 0x00400100, "scause": 8, "stval": 0x100,
     "stimecmp": 0x00F00001, "stimecmph": 0, "satp": 1},
    {"sstatus": 0x00080102, "sie": 0x222, "stvec": 0x80400805, "scounteren": 7, "sip": 0,
     "sscratch": 0xEEEEEEEF, "sepc": 0x004002FC, "scause": 15, "stval": 0x00401FFF,
     "stimecmp": 0x00FFFFFE, "stimecmph": 1, "satp": 0x1FF},
)  # fmt: skip

# What a change of each resource is: bits to invert that do not stop the program.
FLIPS = {"sstatus": 0x000C0120, "sie": 0x200, "stvec": 0x1000, "scounteren": 2, "sip": 2,
         "stimecmp": 0x100, "stimecmph": 2, "satp": 2}  # fmt: skip
CLOCK, READ_ONLY, ABSENT = "clock", "tables: read-only", "tables: absent"
CHANGES = (*CSR_FIELDS, CLOCK, READ_ONLY, ABSENT)


@dataclass(frozen=True)
class State:
    """Where an instruction is run; `change` is one of CHANGES, or None."""

    context: Context
    base: int = 0
    moved: bool = False
    change: str | None = None

    def but(self, **parts: object) -> "State":
        """The same state except for one part."""
        return replace(self, **parts)

    def csr(self, name: str) -> int:
        """The value of a CSR; for `satp`, without the root table."""
        value = BASES[self.base].get(name, 0x1230)
        if name == "scounteren" and self.context is USER:
            return 0  # what root lets U do on behalf of a guest
        return value ^ FLIPS.get(name, 0x10) if self.change == name else value


@dataclass(frozen=True)
class Outcome:
    """What a step did: a trap, or the changes of the program and the machine.

    `visible` is the program's own: registers, pc, its pages.  `resources` are the machine's:
    level, CSRs, forgotten translations, time given up.
    """

    trap: str | None = None
    visible: dict[str, int | str] = field(default_factory=dict)
    resources: dict[str, int | str] = field(default_factory=dict)

    @property
    def completed(self) -> bool:
        return self.trap is None


class Laboratory:
    """One machine that is put into a state and stepped, again and again."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._machine = Machine(mem=1 << 20, clock="icount")
        self._hart = self._machine.hart
        # A record's fields are slow to reach one by one.
        hart = self._hart
        self._x, self._csr, self._root, self._clock = hart.x, hart.csr, hart.root, hart.clock
        self._tlb, self._fetch = hart.tlb, hart.fetch
        self._bytes = self._hart.base.view(np.uint8)
        self._fresh = self._bytes.copy()
        self._warm: dict[State, np.ndarray] = {}
        for moved in FRAMES:
            self._place(moved)

    def _frames(self, moved: bool) -> tuple[int, dict[int, int]]:
        """Where the first table is, and the frame of each page."""
        first = FRAMES[moved]
        return first, {CODE: first + 4 * PAGE, DATA: first + 6 * PAGE, MORE: first + 9 * PAGE}

    def _place(self, moved: bool) -> None:
        """Make both views, S's and U's: a root table and its leaves each."""
        first, frames = self._frames(moved)
        for n, user in enumerate((0, U)):
            root, leaves = first + 2 * n * PAGE, first + (2 * n + 1) * PAGE
            self._word(root + 4 * (CODE >> 22), (leaves >> 2) | V)
            for page, frame in frames.items():
                flags = V | R | A | user | (X if page == CODE else W | D)
                self._word(leaves + (page - CODE >> 10), frame >> 2 | flags)
        for page, content in CONTENTS.items():
            self._machine.poke(frames[page], content.tobytes())

    def _word(self, pa: int, value: int) -> None:
        self._machine.poke(pa, value.to_bytes(4, "little"))

    def run(self, word: int, state: State) -> Outcome:
        """Execute the instruction `word` in `state`."""
        _first, frames = self._frames(state.moved)
        with self._tables(state):
            if state not in self._warm:
                self._warm[state] = self._warmed(state, frames)
            self._word(frames[CODE] + 4, word)
            self._bytes[:] = self._warm[state].view(np.uint8)
            self._tlb.xtag[:] = self._fetch.tag = NO_TAG  # the place where code is decoded changes
            return self._outcome(self._warm[state], self._step(), frames)

    @contextmanager
    def _tables(self, state: State) -> Iterator[None]:
        """The PTE of the data page in the state."""
        first, frames = self._frames(state.moved)
        user = state.context.priv == Level.U
        leaf = first + (3 * PAGE if user else PAGE) + (DATA - CODE >> 10)
        whole = frames[DATA] >> 2 | V | R | W | A | D | (U if user else 0)
        if state.change in (READ_ONLY, ABSENT):
            self._word(leaf, whole & ~(W | D) if state.change == READ_ONLY else 0)
            yield
            self._word(leaf, whole)
        else:
            yield

    def _warmed(self, state: State, frames: dict[int, int]) -> np.ndarray:
        """The hart in `state`, about to execute the second word of the code."""
        self._word(frames[CODE], WARM)
        self._bytes[:] = self._fresh
        self._enter(state)
        if self._step() != Reason.BUDGET:
            raise RuntimeError(f"{state}: the program cannot run in it")
        return self._bytes.copy().view(self._hart.dtype)

    def _enter(self, state: State) -> None:
        hart = self._hart
        root = self._frames(state.moved)[0] + (2 * PAGE if state.context.priv == Level.U else 0)
        hart.pc, hart.priv = CODE, state.context.priv
        hart.x[5:11] = (5, DATA, 0xABCD0000 | BASES[state.base]["satp"], MORE, 0xFFFFFFFF, 0)
        for name in CSR_FIELDS:
            hart.csr[name] = state.csr(name)
        satp = state.csr("satp") << SATP_ASID_SHIFT
        hart.csr.satp = SATP_MODE_SV32 | satp | root >> 12
        hart.root.s_traps, hart.root.profile = state.context.s_traps, self.profile
        # An interrupt is not caused by an instruction
        hart.root.deleg_exc = hart.root.deleg_int = 0
        hart.clock.icount, hart.clock.per_tick = 1, 1
        if state.change == CLOCK:
            hart.clock.instret = 1 << 20
            hart.clock.idle = (3 << 44) + 12_345  # so that every half of every counter shows it
        flush(hart, -1, -1)
        reserve(hart, -1)
        recontext(hart)

    def _step(self) -> Reason:
        root = self._root
        root.budget, root.one_trap = int(self._clock.instret) + 1, 1
        return Reason(int(execute(self._hart, self._machine.memory, 0, 0, 0)))

    def _outcome(self, before: np.ndarray, reason: Reason, frames: dict[int, int]) -> Outcome:
        """What has changed since the hart `before`; the pages are restored."""
        hart = self._hart
        if reason == Reason.TRAP:
            return Outcome(causes.name(int(hart.exit.cause)))
        if reason != Reason.BUDGET:
            return Outcome(f"stop ({reason.name.lower()})")
        visible: dict[str, int | str] = {"pc": int(hart.pc)}
        changed = np.flatnonzero(self._x[:32] != before["x"][0][:32]).tolist()
        visible |= {f"x{n}": int(self._x[n]) for n in changed}
        for page, content in CONTENTS.items():
            at = frames[page] - RAM_BASE
            now = self._machine.ram[at : at + PAGE]
            for n in np.flatnonzero(now != content).tolist():
                visible[f"byte {page + n:#x}"] = int(now[n])
                self._machine.poke(frames[page] + n, content[n : n + 1].tobytes())
        resources: dict[str, int | str] = {}
        if hart.priv != before["priv"][0]:
            resources["level"] = Level(int(hart.priv)).name
        values = zip(CSR_FIELDS, self._csr.item(), before["csr"][0].item())
        resources |= {name: now for name, now, then in values if now != then}
        for kind in ("dkey", "ikey"):
            then = before["tlb"][kind][0]
            if ((then >= 0) & (self._tlb[kind] != then)).any():
                resources["TLB"] = "translations forgotten"
        if self._clock.idle != before["clock"]["idle"][0]:
            resources["time"] = "given up"
        return Outcome(None, visible, resources)
