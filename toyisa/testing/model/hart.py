"""One hart: its state, and what one step does to it.

`step` is the whole contract.  Must not know of firmware: what goes to root is
reported and left to the caller.
"""

from dataclasses import dataclass
from functools import lru_cache

from toyisa.tables.causes import Exc, Irq
from toyisa.tables.insns import Insn, find
from toyisa.tables.levels import Level, Profile
from toyisa.testing.model import execute
from toyisa.testing.model.bus import Bus
from toyisa.testing.model.csr import STORED
from toyisa.testing.model.mmu import Access, translate
from toyisa.testing.model.trap import Trap, delegated, enter, pending

M32 = 0xFFFFFFFF
find_row = lru_cache(maxsize=1 << 16)(find)


@dataclass
class Effects:
    """What one step did: a retirement, a trap to S, or an exit to root.

    `reg` is (number, value); `load` and `store` (vaddr, value, size); `trap` and
    `exit` (cause, tval).  An exit leaves the state as it was.  `idle`: a `wfi`
    waits, and nothing but input could ever wake it.
    """

    pc: int
    insn: int | None = None
    reg: tuple[int, int] | None = None
    load: tuple[int, int, int] | None = None
    store: tuple[int, int, int] | None = None
    trap: tuple[int, int] | None = None
    exit: tuple[int, int] | None = None
    idle: bool = False
    next_pc: int = 0


class Hart:
    """The architectural state, as after the firmware has entered S at `pc`."""

    def __init__(self, bus: Bus, pc: int = 0x80000000) -> None:
        self.bus = bus
        self.x = [0] * 32
        self.pc = pc
        self.priv: int = Level.S
        self.csr = dict.fromkeys(STORED, 0)
        self.csr.update(stimecmp=M32, stimecmph=M32)
        # Virtual time as under `icount`: instructions retired, and what wfi skipped.
        self.retired = self.idle = 0
        self.per_tick = 1
        self.external = False  # a line from outside, beside those of the bus
        # the root record
        self.deleg_exc = M32 & ~(1 << Exc.ECALL_S)
        self.deleg_int = M32
        self.s_traps = 0  # a set of levels.STraps
        self.s_limit = self.s_base = 0
        self.profile = Profile.STRICT
        self.svade = 0

    @property
    def cycle(self) -> int:
        return self.retired + self.idle

    instret = cycle

    @property
    def time(self) -> int:
        return self.cycle // self.per_tick

    def _deadline(self) -> int:
        return self.csr["stimecmph"] << 32 | self.csr["stimecmp"]

    def wake(self) -> bool:
        """Let time pass until an enabled interrupt is pending; False if none will be."""
        enabled = self.csr["sie"]
        if self.sip() & enabled:
            return True
        if not enabled >> Irq.TIMER & 1 or self._deadline() >> 52:
            return False
        self.idle = self._deadline() * self.per_tick - self.retired
        return True

    def sip(self) -> int:
        """Which interrupts are pending, now."""
        due = self.time >= self._deadline()
        external = self.external or self.bus.interrupts()
        return self.csr["sip"] & 1 << Irq.SOFTWARE | due << Irq.TIMER | external << Irq.EXTERNAL

    def interrupted(self) -> bool:
        """Whether the next step will take an interrupt."""
        return pending(self) is not None

    def translate(self, va: int, access: Access, *, mark: bool = True) -> int:
        return translate(self, va, access, mark=mark)

    def _fetch(self) -> int:
        pa = self.translate(self.pc, Access.FETCH)
        if not self.bus.is_ram(pa, 4):
            raise Trap(Exc.INSN_ACCESS, self.pc)
        return self.bus.load(pa, 4)

    def step(self) -> Effects:
        """Retire one instruction, or take one trap, or exit to root."""
        fx = Effects(self.pc)
        try:
            irq = pending(self)
            if irq is not None:
                raise Trap(irq, 0)
            fx.insn = self._fetch()
            row: Insn | None = find_row(fx.insn)
            if row is None:
                raise Trap(Exc.ILLEGAL, fx.insn)
            self.pc = execute.run(self, row, fx) & M32
            self.retired += not fx.idle
        except Trap as trap:
            fx.reg = fx.load = fx.store = None
            if trap.root or not delegated(self, trap.cause):
                fx.exit = (trap.cause, trap.tval)
            else:
                fx.trap = (trap.cause, trap.tval)
                enter(self, trap.cause, trap.tval)
        fx.next_pc = self.pc
        return fx

    def store_reg(self, number: int, value: int, fx: Effects) -> None:
        if number:
            self.x[number] = value & M32
            fx.reg = (number, value & M32)
