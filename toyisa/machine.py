"""Answers for a bare machine as a Python object: load, run, step, look.

The hot path is `bare.run_bare`; here is what people touch.  Must not know the
command line.

    machine = Machine(mem=16 << 20)
    machine.load("kernel.elf")
    while machine.run(1_000_000) is Exit.BUDGET:
        print(machine.output())
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from toyisa.compiled import jitcache
from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core import units
from toyisa.core.bare import run_bare, run_bare_at
from toyisa.core.decodepool import fold_all
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.mmio import BY_FINISHER, BY_SBI, BY_TOHOST
from toyisa.core.ram import MIN_MEM, refuse_size
from toyisa.core.tlb import recontext
from toyisa.core.work import LOOK
from toyisa.devices.block import Block
from toyisa.devices.bus import Bus, Dma
from toyisa.devices.disk import Disk
from toyisa.devices.overlay import Overlay
from toyisa.load import boot, fdt, symbols
from toyisa.look import tally
from toyisa.look.effects import Observer
from toyisa.look.notebook import html_hart
from toyisa.running import Exit, Running
from toyisa.snapshots import snapfile, snapshot
from toyisa.tables import causes
from toyisa.tables.causes import CODES, Exc, Irq
from toyisa.tables.cost import CostModel, Event
from toyisa.tables.cost import load as load_cost
from toyisa.tables.exits import Reason
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.levels import Level, Profile
from toyisa.tables.ops import ROW_OF_OP
from toyisa.tables.requests import Writer

__all__ = ["Exit", "Machine"]

BYTES_A_SECOND = 11_520  # the console's rate: 115200 baud, in virtual time


_HOW = {BY_FINISHER: "finisher", BY_SBI: "sbi", BY_TOHOST: "tohost"}


class Machine(Running):
    """One hart, RAM, a console, the firmware: the bare machine.

    `mem` is the size of RAM in bytes; `cost` a preset of `cost.toml`, or a file of your own;
    `clock` says what virtual time counts, "cycles" or "icount" (instructions); `svade` leaves
    the A and D bits to the kernel, by page faults. Raises ValueError if a size is out of
    range, CostError for a bad preset.
    """

    keeps_snapshots = True    # its state can be taken and put back
    virtual = False           # no monitor under it
    tables_are_guests = True  # page tables hold the guest's own frame numbers

    def __init__(
        self,
        mem: int = 16 << 20,
        profile: Profile = Profile.STRICT,
        cost: str | CostModel = "modern",
        clock: str = "cycles",
        svade: bool = False,
    ):
        refuse_size(mem)
        if clock not in ("cycles", "icount"):
            raise ValueError(f"the clock counts 'cycles' or 'icount', not {clock!r}")
        mem = -(-mem // PAGE) * PAGE
        self.cost = cost if isinstance(cost, CostModel) else load_cost(cost)
        _make_ready()
        self.clock = clock
        self._dma = self._assemble(mem)
        self.bus = Bus(self._dma)
        self._observer = Observer(self.hart)
        self.symbols: tuple[tuple[int, str], ...] = ()
        self.program = ""  # what was loaded: `image.digest`
        self.reason = ""
        self.fences: np.record | None = None
        self.work = LOOK     # between two looks, in units of `work.py`
        self.most_work = 0   # the most that was done between two
        super().__init__()
        hart, console = self.hart, self.memory.console
        hart.root.profile = profile
        hart.root.svade = svade
        hart.root.deleg_exc = (1 << CODES) - 1 ^ 1 << Exc.ECALL_S
        hart.root.deleg_int = 1 << Irq.SOFTWARE | 1 << Irq.TIMER | 1 << Irq.EXTERNAL
        hart.clock.icount = clock == "icount"
        hart.clock.per_tick = self.cost.hz // fdt.TIMEBASE
        console.interval = self.cost.hz // BYTES_A_SECOND
        recontext(hart)

    def _assemble(self, mem: int) -> Dma:
        """Make `host` with `mem` bytes of RAM, `hart` and `memory`, and the devices' access."""
        self.host = Hardware(mem)
        self.hart, self.memory = self.host.hart, self.host.memory
        units.link(self.hart, self.memory)
        self._set_prices(self.hart)
        return Dma(self.hart, self.memory, self.host.ram)

    def _set_prices(self, hart: np.record) -> None:
        prices = [1] * hart.price.op.size  # whole arrays at once: a record's fields are slow
        for op, name in ROW_OF_OP.items():
            prices[op] = self.cost.price[ROWS[name].cost.value]
        hart.price.op[:] = prices
        hart.price.event[:] = [self.cost.price[event.name.lower()] for event in Event]
        tlb = hart.tlb
        tlb.dmask, tlb.imask = self.cost.dtlb - 1, self.cost.itlb - 1
        tlb.tagged = self.cost.tagged

    # -- loading -----------------------------------------------------------

    def load(self, source: str | Path | bytes) -> None:
        """Load an ELF and set the hart at its entry point, as firmware does; ImageError."""
        self.bus.forget()
        boot.load_elf(self, source)

    def load_kernel(
        self, source: str | Path | bytes, initrd: str | Path | bytes | None = None, append: str = ""
    ) -> None:
        """Load a kernel `Image`, such as Linux's, and what it is booted with; ImageError.

        `append` is its command line.
        """
        self.bus.forget()
        boot.load_kernel(self, source, initrd, append)

    def add_symbols(self, path: str | Path) -> None:
        """Further names for addresses, from an ELF or a System.map; ImageError."""
        self.symbols = tuple(sorted({*self.symbols, *symbols.read(path)}))

    def attach(
        self, disk: Disk | Overlay, legacy: bool = False, slot: int | None = None
    ) -> None:
        """Put a disk into virtio slot `slot`, or the next free one, before loading.

        ValueError if the slot is taken, or all are.
        """
        self.bus.attach(Block(disk), legacy, slot)

    def boot(self, entry: int, device_tree: int) -> None:
        """Set the hart at `entry` in S: a0 its number, a1 the device tree's address."""
        hart = self.hart
        hart.pc = entry
        hart.priv = Level.S
        hart.x[10] = 0
        hart.x[11] = device_tree
        # No timer interrupt before the kernel asks for one
        hart.csr.stimecmp = hart.csr.stimecmph = 0xFFFF_FFFF
        hart.csr.scounteren = 2  # kernels expect that U can read `time`
        hart.root.pause = hart.root.wake = 0
        recontext(hart)

    # -- running: `running.py` ----------------------------------------------

    def _run(self, hart: np.record, memory: np.record) -> int:
        return run_bare(hart, memory)

    def runner(self) -> np.ndarray:
        """What steps the machine in compiled code: a unit's address, and its three arguments."""
        address = unit_address(run_bare_at, unit_types(self.hart, self.memory))
        return np.array([address, 0, 0, 0], np.int64)

    def why_ended(self, reason: Reason) -> str:
        """A line for people that says why the guest cannot go on."""
        pc = int(self.hart.pc)
        where = f"at {self.symbolize(pc)} ({pc:#010x}), stvec {self.hart.csr.stvec:#x}"
        match reason:
            case Reason.IDLE:
                return "the guest sleeps (wfi) and nothing is set to wake it"
            case Reason.INPUT:
                return "it waits for console input, and there is none"
            case Reason.STUCK:
                return f"it traps for ever without executing an instruction, {where}"
            case _:
                return f"trap to root: {causes.name(int(self.hart.exit.cause))}, {where}"

    # -- snapshots ---------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write a snapshot to a file, atomically; the machine goes on unchanged.

        OSError; SnapshotError if it would hold more than a file may.

        A disk's content is not in it: `restore` needs the image as it is now.
        """
        snapfile.write(Path(path), snapshot.sealed(snapshot.view(self), self))

    def load_snapshot(self, path: str | Path) -> None:
        """Take the state in a snapshot of a machine that was made alike; SnapshotError."""
        snapfile.put(Path(path), snapfile.read(Path(path)), self)

    @classmethod
    def restore(cls, path: str | Path, disks: Sequence[Disk | Overlay] = ()) -> "Machine":
        """A new machine with the snapshot's state; `disks` are its disks in their order;
        SnapshotError.
        """
        made: list[Machine] = []

        def room(config: dict) -> np.ndarray:
            """RAM of a new machine, which nobody has until the whole file was checked."""
            typed = {"profile": Profile(config["profile"]), "cost": CostModel(**config["cost"])}
            made.append(cls(**config | typed))
            return made[0].ram

        saved = snapfile.read(Path(path), room)
        (machine,) = made
        for n, disk in enumerate(disks):
            if n < len(saved.disks):
                machine.attach(disk, saved.disks[n].legacy, saved.disks[n].slot)
            else:
                machine.attach(disk)  # one too many: it is refused below
        snapfile.put(Path(path), saved, machine)
        return machine

    # -- looking -----------------------------------------------------------

    @property
    def ram(self) -> np.ndarray:
        """RAM as bytes, from physical 0x8000_0000 on; to change it use `poke`."""
        return self.host.ram

    def entry_seen(self, pte: int | None) -> int | None:
        """A page-table entry as it is in RAM, with the guest's own frame numbers."""
        return pte

    def poke(self, pa: int, data: bytes) -> None:
        """Change RAM at physical `pa`, which may be code; ValueError outside RAM."""
        try:
            self._dma.write(pa, data, Writer.DEBUGGER)
        except IndexError as error:
            raise ValueError(str(error)) from None

    @property
    def code(self) -> int:
        """The guest's exit code once it has halted: 0 is success."""
        return int(self.memory.console.code)

    @property
    def how(self) -> str:
        """How the guest halted: "sbi", "finisher", "tohost", or "" if it has not."""
        return _HOW.get(int(self.memory.console.how), "")

    @property
    def cycles(self) -> int:
        """Cycles spent; with the clock in cycles, idle time is spent too."""
        idle = 0 if self.hart.clock.icount else self.hart.clock.idle
        return int(self.hart.clock.cycles + idle)

    def cycles_by_class(self) -> dict[str, int]:
        """Cycles by price class and event; they sum to `cycles`."""
        fold_all(self.hart, self.memory)
        return tally.cycles_by_class(self.hart, self.cycles)

    def exits(self) -> dict[str, dict[str, int]]:
        """Exits to a monitor by kind, each with `count`, `cycles`, `min` and `max`: none here."""
        return {}

    def counters(self) -> dict[str, int]:
        """What an engine has counted of its own, by name: nothing here."""
        return {}

    def traps_by_cause(self) -> dict[str, int]:
        """Traps taken, by the names of `causes.name`; firmware calls are `ecall_s`."""
        return tally.traps_by_cause(self.hart)

    def guest_digest(self) -> str:
        """A hex digest of registers and RAM, which is the same however the guest was run."""
        return tally.digest(self.hart, self.ram)

    def digest(self) -> str:
        """A hex digest of the architectural state, RAM and virtual time."""
        clock = self.hart.clock
        times = [clock.cycles, clock.instret, clock.idle, *([clock.offset] if clock.offset else [])]
        return tally.digest(self.hart, self.ram, " ".join(map(str, times)))

    def symbolize(self, address: int) -> str:
        """`symbol+0x10` for an address, or the address in hex."""
        return symbols.name(self.symbols, address)

    def _repr_html_(self) -> str:
        end = f"halted, code {self.code}" if self.how else self.reason or "can run"
        where = self.symbolize(int(self.hart.pc))
        return html_hart(self.hart, f"{self.instret:,} instructions, at {where}; {end}")


PARTS = 5  # parts to compile: the units, `run_bare` and `recontext`
NOP = bytes.fromhex("13000000")

_ready = False


def _make_ready() -> None:
    """Compile or load all the code that a machine runs, once in a process."""
    global _ready
    if not _ready:
        _ready = True  # set before, because `_touch` makes machines itself
        jitcache.warm("the machine", _touch, PARTS)


def _touch(cold: bool) -> None:
    """Call every compiled function that Python calls, so that it is compiled."""
    if cold:
        units.compile_all()
    machine = Machine(mem=MIN_MEM)
    machine.boot(RAM_BASE, 0)
    machine.poke(RAM_BASE, NOP * 8)
    machine.run(1)
    machine.poke(RAM_BASE, NOP)  # now on a page with decoded code
    machine.cycles_by_class()
