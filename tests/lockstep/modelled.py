"""A kernel on the plain-Python model, as a subject of `toyisa.testing.lockstep`.

Answers S's environment calls as the firmware does, those that generated kernels
make.  Must not know the fast machine.
"""

from dataclasses import replace

from tests.model import Bus, Effects, Hart
from toyisa.causes import Exc
from toyisa.fields import REG_NAMES
from toyisa.testing import Kernel
from toyisa.testing.states import RAM_BASE

RAM_SIZE = 1 << 20
SRST, TIME, DBCN = 0x53525354, 0x54494D45, 0x4442434E
NOT_SUPPORTED = 0xFFFFFFFE


class Modelled:
    """The model, booted as the machine is; virtual time counts instructions."""

    def __init__(self, kernel: Kernel, per_tick: int, a1: int) -> None:
        self.hart = Hart(Bus(RAM_SIZE), kernel.entry)
        code = b"".join(word.to_bytes(4, "little") for word in kernel.words)
        for address, data in {RAM_BASE: code, **kernel.data}.items():
            at = address - RAM_BASE
            self.hart.bus.ram[at : at + len(data)] = data
        self.hart.x[11] = a1  # the device tree, which the model has not
        self.hart.csr |= {"scounteren": 2, "stimecmp": 0, "stimecmph": 0}
        self.hart.per_tick = per_tick
        self.ended = False
        self.traps: list[int] = []

    def step(self) -> Effects:
        fx = self.hart.step()
        if fx.trap:
            self.traps.append(fx.trap[0])
        if fx.exit:
            assert fx.exit[0] == Exc.ECALL_S, fx
            a0 = self.hart.x[10]
            self._answer()
            self.hart.pc += 4
            self.hart.retired += 1
            reg = (10, self.hart.x[10]) if self.hart.x[10] != a0 else None
            fx = replace(fx, next_pc=self.hart.pc, reg=reg)
        return fx

    def state(self) -> dict[str, int]:
        hart = self.hart
        named = dict(zip(REG_NAMES[1:], hart.x[1:]))
        return named | {"pc": hart.pc, "priv": int(hart.priv)} | hart.csr

    def _answer(self) -> None:
        """One SBI call; a0 is the error, a1 the value but for legacy calls."""
        x, bus = self.hart.x, self.hart.bus
        extension, a0, a1 = x[17], x[10], x[11]
        x[10] = 0
        if extension > 8:
            x[11] = 0
        if extension == 1 or (extension == DBCN and x[16] == 2):
            bus.console.append(a0 & 0xFF)
        elif extension == 0 or (extension == TIME and x[16] == 0):
            self.hart.csr |= {"stimecmp": a0, "stimecmph": a1}
        elif extension == SRST:
            self.ended = True
        else:
            x[10] = NOT_SUPPORTED
