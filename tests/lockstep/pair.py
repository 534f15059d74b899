"""The model and the core side by side, put in a state and stepped once.

For tests that try every case of a rule.  Must not know the rules.
"""

from __future__ import annotations

from tests.lockstep.harts import Root, model_state
from toyisa.tables.causes import Irq
from toyisa.tables.exits import Reason
from toyisa.testing.model import Bus, Effects, Hart
from toyisa.testing.states import RAM_BASE, RAM_SIZE


class Pair:
    """One model hart and one machine; `place` a state in both, then `step` both."""

    def __init__(self) -> None:
        from toyisa.core.execute import execute
        from toyisa.core.tlb import flush, recontext, reserve
        from toyisa.machine import Machine

        self._execute, self._flush = execute, flush
        self._recontext, self._reserve = recontext, reserve
        self.machine = Machine(mem=RAM_SIZE, clock="icount")
        self.core = self.machine.hart
        self.core.clock.per_tick = 1
        self.hart = Hart(Bus(RAM_SIZE))
        self.poke(RAM_BASE, bytes(RAM_SIZE))

    def poke(self, pa: int, data: bytes) -> None:
        """The same bytes in both RAMs."""
        at = pa - RAM_BASE
        self.hart.bus.ram[at : at + len(data)] = data
        self.machine.poke(pa, data)

    def word(self, pa: int, value: int) -> None:
        self.poke(pa, value.to_bytes(4, "little"))

    def place(
        self, pc: int, priv: int, csr: dict[str, int], x: dict[int, int], root: Root | None = None
    ) -> None:
        """Registers not named are zero; TLBs are empty, no reservation is held."""
        hart, core = self.hart, self.core
        hart.pc, hart.priv = pc, priv
        core.pc, core.priv = pc, priv
        hart.x = [x.get(n, 0) for n in range(32)]
        core.x[:32] = hart.x
        for name in hart.csr:
            hart.csr[name] = core.csr[name] = csr.get(name, 0xFFFFFFFF if "cmp" in name else 0)
        hart.external = bool(csr.get("sip", 0) >> Irq.EXTERNAL & 1)  # the controller's line
        for name, value in vars(root or Root()).items():
            setattr(hart, name, value)
            core.root[name] = value
        hart.bus.reserved = None
        core.pending.barren = 0
        self._flush(core, -1, -1)
        self._reserve(core, -1)

    def move(self, pc: int, priv: int, sstatus: int) -> None:
        """Another place, level and status; what the TLBs hold stays."""
        hart, core = self.hart, self.core
        hart.pc, hart.priv, hart.csr["sstatus"] = pc, priv, sstatus
        core.pc, core.priv, core.csr.sstatus = pc, priv, sstatus
        self._recontext(core)

    def step(self) -> Effects:
        """Step both; AssertionError if they differ in anything that S or root can see."""
        core = self.core
        core.root.budget, core.root.one_trap = int(core.clock.instret) + 1, 1
        reason = int(self._execute(core, self.machine.memory, 0, 0, 0))
        fx = self.hart.step()
        exited = (int(core.exit.cause), int(core.exit.tval)) if reason == Reason.TRAP else None
        assert exited == fx.exit, fx
        assert self._core_state() == model_state(self.hart), fx
        return fx

    def _core_state(self) -> dict[str, object]:
        core = self.core
        return {
            "pc": int(core.pc),
            "priv": int(core.priv),
            "x": core.x[:32].tolist(),
            "csr": {name: int(core.csr[name]) for name in self.hart.csr},
            "retired": int(core.clock.instret),
            "idle": int(core.clock.idle),
        }

    def same_at(self, pa: int, size: int) -> bool:
        """Whether both RAMs hold the same there."""
        at = pa - RAM_BASE
        return (
            bytes(self.hart.bus.ram[at : at + size]) == self.machine.ram[at : at + size].tobytes()
        )
