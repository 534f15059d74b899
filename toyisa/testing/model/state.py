"""The architectural state of one hart, and what a step reports.

Must not know what an instruction does to it.
"""

from dataclasses import dataclass

from toyisa.tables.causes import Exc, Irq
from toyisa.tables.csrs import CSRS
from toyisa.tables.levels import Level, Profile
from toyisa.testing.model.bus import Bus

M32 = 0xFFFFFFFF
LAST = (1 << 62) - (1 << 57)  # no timer is later, in units of virtual time
STORED = tuple(row.name for row in CSRS if not row.read_only)


@dataclass
class Effects:
    """What one step did: a retirement, a trap to S, or an exit to root.

    `reg` is (number, value); `load` and `store` are (vaddr, value, size); `trap` and `exit`
    are (cause, tval).  An exit leaves the state as it was.  `idle`: a `wfi` waits, and
    nothing except input could ever wake it.
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


class State:
    """The architectural state in which firmware enters S at `pc`."""

    def __init__(self, bus: Bus, pc: int = 0x80000000) -> None:
        self.bus = bus
        self.x = [0] * 32
        self.pc = pc
        self.priv: int = Level.S
        self.csr = dict.fromkeys(STORED, 0)
        self.csr.update(stimecmp=M32, stimecmph=M32)
        # Virtual time as under `icount`: instructions retired, and what wfi skipped.
        self.retired = self.idle = 0
        self.offset = 0  # what of it was over when the guest's domain began
        self.per_tick = 1
        self.external = False  # a line from outside, in addition to those of the bus
        # the root record
        self.deleg_exc = M32 & ~(1 << Exc.ECALL_S)
        self.deleg_int = M32
        self.s_traps = 0  # a set of levels.STraps
        self.s_limit = self.s_base = 0
        self.profile = Profile.STRICT
        self.svade = 0

    @property
    def cycle(self) -> int:
        return self.retired + self.idle - self.offset

    instret = cycle

    @property
    def time(self) -> int:
        return self.cycle // self.per_tick

    def _deadline(self) -> int:
        return self.csr["stimecmph"] << 32 | self.csr["stimecmp"]

    def wake(self) -> bool:
        """Let time pass until an enabled interrupt is pending; False if none ever will be."""
        enabled = self.csr["sie"]
        if self.sip() & enabled:
            return True
        due = self._deadline() * self.per_tick + self.offset
        if not enabled >> Irq.TIMER & 1 or self._deadline() >> 52 or due > LAST:
            return False
        self.idle = due - self.retired
        return True

    def sip(self) -> int:
        """Which interrupts are pending now."""
        due = self.time >= self._deadline()
        external = self.external or self.bus.interrupts()
        return self.csr["sip"] & 1 << Irq.SOFTWARE | due << Irq.TIMER | external << Irq.EXTERNAL

    def store_reg(self, number: int, value: int, fx: Effects) -> None:
        if number:
            self.x[number] = value & M32
            fx.reg = (number, value & M32)
