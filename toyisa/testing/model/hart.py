"""One hart: what one step does to its state.

`step` is the whole contract.  Must not know of firmware: what goes to root is reported, and
the caller handles it.
"""

from functools import lru_cache

from toyisa.tables.causes import Exc
from toyisa.tables.insns import Insn, find
from toyisa.testing.model import execute
from toyisa.testing.model.mmu import Access, translate
from toyisa.testing.model.state import M32, Effects, State
from toyisa.testing.model.trap import Trap, delegated, enter, pending

find_row = lru_cache(maxsize=1 << 16)(find)


class Hart(State):
    """A hart that can be stepped; it begins in the state in which firmware enters S at `pc`."""

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
