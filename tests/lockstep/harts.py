"""A kernel on the compiled core and on the model, one step or many at a time.

The core is driven as root drives it: through the hart's record.  Must not know what is
compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from toyisa.tables.levels import Profile
from toyisa.testing import states
from toyisa.testing.model import Bus, Effects, Hart
from toyisa.testing.states import RAM_BASE, RAM_SIZE, MachineState


@dataclass
class Root:
    """The root record of a lock-step run; by default a bare machine's."""

    deleg_exc: int = 0xFFFFFFFF & ~(1 << 9)
    deleg_int: int = 0xFFFFFFFF
    s_traps: int = 0
    s_limit: int = 0
    s_base: int = 0
    profile: int = Profile.STRICT
    svade: int = 0


@dataclass
class Setup:
    """A kernel, the profile, and which TLBs the machine has."""

    kernel: MachineState
    root: Root = field(default_factory=Root)
    preset: str = "p4"


def model(setup: Setup) -> Hart:
    """The model at the kernel's start."""
    hart = Hart(Bus(RAM_SIZE), setup.kernel.pc)
    for at, data in setup.kernel.ram.items():
        hart.bus.ram[at : at + len(data)] = data
    hart.x = list(setup.kernel.x)
    hart.priv = setup.kernel.priv
    hart.csr.update(setup.kernel.csr)
    hart.per_tick = PER_TICK
    for name, value in vars(setup.root).items():
        setattr(hart, name, value)
    return hart


PER_TICK = 16  # virtual time units in a tick: timers are to fall within a short run


class Core:
    """The compiled core on a kernel: `step`, `run`, and the state in plain ints."""

    def __init__(self, setup: Setup) -> None:
        from toyisa.core.tlb import recontext
        from toyisa.machine import Machine

        kernel = setup.kernel
        self.machine = Machine(mem=RAM_SIZE, cost=setup.preset, clock="icount")
        hart = self.hart = self.machine.hart
        hart.clock.per_tick = PER_TICK
        for at, data in kernel.ram.items():
            self.machine.poke(RAM_BASE + at, data)
        hart.x[:32] = kernel.x
        hart.pc, hart.priv = kernel.pc, kernel.priv
        for name, value in kernel.csr.items():
            hart.csr[name] = value
        for name, value in vars(setup.root).items():
            hart.root[name] = value
        recontext(hart)

    def enter(self, budget: int, *, one_trap: bool) -> int:
        """Run until `budget` instructions are retired in all; the exits.Reason."""
        from toyisa.core.execute import execute

        self.hart.root.budget, self.hart.root.one_trap = budget, one_trap
        return int(execute(self.hart, self.machine.memory, 0, 0, 0))

    def step(self) -> int:
        """One retirement or one trap, or both if an interrupt follows at once."""
        return self.enter(int(self.hart.clock.instret) + 1, one_trap=True)

    def state(self) -> dict[str, object]:
        """The architectural state, with the same keys as `model_state`."""
        hart = self.hart
        names = hart.csr.dtype.names
        return {
            "pc": int(hart.pc),
            "priv": int(hart.priv),
            "x": hart.x[:32].tolist(),
            "csr": {name: int(hart.csr[name]) for name in names},
            "retired": int(hart.clock.instret),
            "idle": int(hart.clock.idle),
        }

    def ram(self) -> bytes:
        return self.machine.ram.tobytes()

    def exit(self) -> tuple[int, int]:
        """Cause and tval of the last exit to root."""
        return int(self.hart.exit.cause), int(self.hart.exit.tval)


def model_state(hart: Hart) -> dict[str, object]:
    """The architectural state of the model."""
    return {
        "pc": hart.pc,
        "priv": int(hart.priv),
        "x": list(hart.x),
        "csr": dict(hart.csr),
        "retired": hart.retired,
        "idle": hart.idle,
    }


def within_rules(hart: Hart, kernel: MachineState) -> bool:
    """Whether no TLB can be stale."""
    return states.within_rules(kernel.ram_bytes(), bytes(hart.bus.ram), hart.csr["satp"])


def after_exit(hart: Hart, core: Core | None, fx: Effects) -> None:
    """Root's answer to any exit, on both sides: skip the instruction."""
    pc = (fx.pc + 4) & 0xFFFFFFFF
    hart.pc = pc
    if core is not None:
        core.hart.pc = pc
