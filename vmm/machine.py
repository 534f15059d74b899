"""Answers for a virtual machine as a Python object, used like a bare one.

It is a `Machine` whose hart and devices are virtual: `vcpu.hart` and `platform` of the
monitor's record.  Under it lies real memory, where the guest has some frames and the
monitor others, and a real hart that runs the engine's code and the guest's.

    vm = VirtualMachine(mem=16 << 20, engine="trap")
    vm.load("kernel.elf")
    vm.run()
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core import state
from toyisa.core.decodepool import fold_all
from toyisa.core.memory import PAGE, RAM_BASE, reset_memory, sparse
from toyisa.core.sv32 import V
from toyisa.core.tlb import recontext
from toyisa.core.units import link as link_machine
from toyisa.look import tally
from toyisa.look.notebook import html_table
from toyisa.machine import Machine
from toyisa.snapshots.snapshot import SnapshotError
from toyisa.tables.cost import CostModel
from toyisa.tables.levels import Profile
from vmm import engines
from vmm.domain.exits import Kind
from vmm.domain.host import Platform
from vmm.domain.record import ENTRIES, GUEST_PAGE, LINK, LOG, LOG_SIZE, MAX_SHADOW, new_vm
from vmm.engines import units
from vmm.exit.loop import run_vm, run_vm_at
from vmm.memory.guestram import GuestDma

MIN_SHADOW = 4  # a root table, and tables for the pages that one instruction needs
POISON_FRAMES = 1  # between the monitor's and the guest's frames, and behind the guest's


class VirtualMachine(Machine):
    """A guest under the monitor: `engine` says how its kernel's code runs.

    `shadow` is how many frames shadow tables may take.  `scatter` is a seed; with it the
    guest's frames are spread over its share of the machine's.  `options` are the engine's own.
    `host` is the hardware on which it is, if other guests are there too (`vmm/hosting`). Raises
    ValueError if a size is out of range.
    """

    keeps_snapshots = False  # not yet
    virtual = True
    private: Sequence[np.record] = ()  # records that only the engine knows

    def __init__(
        self,
        mem: int = 16 << 20,
        engine: str = "trap",
        profile: Profile = Profile.STRICT,
        cost: str | CostModel = "modern",
        clock: str = "cycles",
        svade: bool = False,
        *,
        shadow: int = MAX_SHADOW,
        scatter: int | None = None,
        options: dict | None = None,
        host: Platform | None = None,
    ):
        if not MIN_SHADOW <= shadow <= MAX_SHADOW:
            raise ValueError(f"shadow tables take {MIN_SHADOW} to {MAX_SHADOW} frames")
        self.engine = engines.find(engine)
        self._shadow, self._scatter = shadow, scatter
        self.options = options or {}
        unknown = self.options.keys() - {"paging", *self.engine.options}
        if unknown:
            raise ValueError(f"the engine {engine!r} has no option {min(unknown)!r}")
        self._take_log: Callable[[np.ndarray], None] | None = None
        self._shared = host
        super().__init__(mem, profile, cost, clock, svade)
        self.host.hart.root.profile = profile
        if host is None:
            self.host.hart.clock = self.hart.clock
        else:
            self.host.hart.clock.icount = self.hart.clock.icount
        self.engine.install(self)
        recontext(self.host.hart)

    def _assemble(self, mem: int) -> GuestDma:
        """Make real memory for the monitor and the guest, and the record of the virtual machine."""
        frames = mem // PAGE
        before = self._shadow + self.engine.frames + POISON_FRAMES
        in_all = before + frames + POISON_FRAMES
        if self._shared is None:
            self.host = Platform(in_all * PAGE)
            link_machine(self.host.hart, self.host.memory)
            self._set_prices(self.host.hart)
        else:
            self.host = self._shared
        self.number, start = self.host.allocator.take(in_all)
        first = start + before
        self.pages, self.links = sparse(frames, GUEST_PAGE), sparse(self._shadow * ENTRIES, LINK)
        self.vm = vm = new_vm()
        vm.traits, vm.number = self.engine.traits, self.number
        vm.host = self.host.record.ctypes.data
        vm.pages, vm.frames = self.pages.ctypes.data, frames
        vm.shadow.links = self.links.ctypes.data
        vm.shadow.start, vm.shadow.frames, vm.own = start, self._shadow, start + self._shadow
        places = first + np.arange(frames, dtype=np.int32)
        if self._scatter is not None:
            places = np.random.default_rng(self._scatter).permutation(places)
        self.pages["mfn"] = places
        self.host.frames["gfn"][places] = np.arange(frames)
        self.hart, self.memory = vm.vcpu.hart, vm.platform
        state.reset(self.hart)
        reset_memory(self.memory)
        link_machine(self.hart, self.memory)
        if self._scatter is None:  # functions that look at a machine then find RAM in one piece
            self.memory.ram = int(self.host.memory.ram) + first * PAGE
            self.memory.ram_size = mem
        units.link(self.engine, self.host.hart, self.host.memory, vm)
        self._first = first
        return GuestDma(self.host, vm, self.pages)

    # -- loading -----------------------------------------------------------

    def load(self, source: str | Path | bytes) -> None:
        self.vm.direct.active = 0  # the guest that was there before has no tables any more
        self.vm.vcpu.unfinished = self.vm.vcpu.looking = 0
        super().load(source)
        tohost = int(self.memory.console.tohost)
        self.vm.tohost = (tohost - RAM_BASE) // PAGE if tohost >= 0 else -1

    def boot(self, entry: int, device_tree: int) -> None:
        super().boot(entry, device_tree)
        if self.engine.boot:
            self.engine.boot(self)

    # -- running -----------------------------------------------------------

    def give_input(self) -> bool:
        given = super().give_input()
        if given:
            self.vm.vcpu.fed = 1
        return given

    def _run(self, _hart: np.record, _memory: np.record) -> int:
        reason = run_vm(self.host.hart, self.host.memory, self.vm)
        self.host.hart.x[32] = 0
        if self._take_log:
            stats = self.vm.stats
            if stats.logged:
                self._take_log(self._log[: min(int(stats.logged), LOG_SIZE)])
                stats.logged = 0
        return reason

    def runner(self) -> np.ndarray:
        """Like `Machine.runner`; what it runs keeps no log."""
        records = self.host.hart, self.host.memory, self.vm
        places = [np.frombuffer(record, np.uint8).ctypes.data for record in records]
        types = unit_types(self.hart, self.memory)
        return np.array([unit_address(run_vm_at, types), *places], np.int64)

    def log(self, take: Callable[[np.ndarray], None] | None) -> None:
        """From now on `take` gets what happens, in arrays of `LOG` lines; None ends it."""
        self._take_log = take
        self._log = np.zeros(LOG_SIZE if take else 0, LOG)
        self.vm.stats.log = self._log.ctypes.data if take else 0
        self.vm.stats.logged = 0

    # -- snapshots ---------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Does not exist yet: SnapshotError."""
        raise SnapshotError("a virtual machine cannot be saved yet, only a bare one")

    def load_snapshot(self, path: str | Path) -> None:
        """Does not exist yet: SnapshotError."""
        raise SnapshotError("a snapshot is put back into a bare machine only")

    # -- looking -----------------------------------------------------------

    @property
    def ram(self) -> np.ndarray:
        """The guest's RAM as bytes, in the order of its own addresses; a copy if it is
        scattered.
        """
        frames = int(self.vm.frames)
        if self._scatter is None:
            first = self._first * PAGE
            return self.host.ram[first : first + frames * PAGE]
        return self.host.ram.reshape(-1, PAGE)[self.pages["mfn"][:frames]].reshape(-1)

    @property
    def tables_are_guests(self) -> bool:
        """False under direct paging: those tables are the machine's, with the machine's frames."""
        return not self.vm.direct.active

    def entry_seen(self, pte: int | None) -> int | None:
        """The entry as the guest means it.  Under direct paging a guest's tables hold machine
        frames; a frame that is not the guest's has no number.
        """
        if pte is None or not self.vm.direct.active or not pte & V:
            return pte
        mfn = (pte >> 10) - RAM_BASE // PAGE
        own = 0 <= mfn < len(self.host.frames) and self.host.frames["owner"][mfn] == self.number
        gfn = int(self.host.frames["gfn"][mfn]) if own else -1
        return pte & 0x3FF | (RAM_BASE // PAGE + gfn) << 10 if gfn >= 0 else pte & ~V

    def cycles_by_class(self) -> dict[str, int]:
        """Cycles by price class and event, of the guest and of root; they sum to `cycles`."""
        fold_all(self.host.hart, self.host.memory)
        return tally.cycles_by_class(self.host.hart, self.cycles)

    def counters(self) -> dict[str, int]:
        """What the engine itself has counted, by name."""
        return self.engine.counters(self) if self.engine.counters else {}

    def exits(self) -> "Exits":
        """For each kind of exit, how many there were and the cycles that root spent on them.

        `other` also has the cycles that it takes to start a guest.
        """
        stats = self.vm.stats
        return Exits({
            kind.name.lower(): {
                "count": int(stats.count[kind]), "cycles": int(stats.cycles[kind]),
                "min": int(stats.least[kind]) if stats.count[kind] else 0,
                "max": int(stats.most[kind]),
            }
            for kind in Kind if stats.count[kind] or stats.cycles[kind]
        })  # fmt: skip


def new_machine(engine: str = engines.NATIVE, **given: Any) -> Machine:
    """A machine with nothing loaded: bare, or virtual under that engine; ValueError.

    What is `given` are arguments of `Machine`; a virtual one's own may be None for a bare one.
    """
    if engine != engines.NATIVE:
        return VirtualMachine(engine=engine, **given)
    return Machine(**{name: value for name, value in given.items() if value is not None})


class Exits(dict[str, dict[str, int]]):
    """Exits by kind, each with `count`, `cycles`, `min` and `max`; a notebook shows a table."""

    def _repr_html_(self) -> str:
        lines = ([kind, *(f"{value:,}" for value in row.values())] for kind, row in self.items())
        return html_table([["exit", "count", "cycles", "min", "max"], *lines])
