"""Answers for the plain-Python model as a subject of `lockstep`, booted as a machine is.

Its `step` is one step of the model; S's environment calls are answered as by the firmware.
Must not know how the fast machine comes to its state.

    machine = Machine(clock="icount")
    machine.load(kernel.elf())
    assert_same(machine, Modelled(machine))
"""

from collections import Counter
from dataclasses import replace

from toyisa.machine import Machine
from toyisa.tables.causes import Exc, Irq
from toyisa.tables.causes import name as name_of
from toyisa.tables.fields import REG_NAMES
from toyisa.tables.sbi import (
    BASE,
    DBCN,
    GETCHAR,
    HSM,
    IPI,
    PUTCHAR,
    RFENCE,
    SET_TIMER,
    SHUTDOWN,
    SRST,
    TIME,
)
from toyisa.testing.model import Bus, Effects, Hart, NotModelled
from toyisa.testing.states import within_rules

OTHERS = {*range(GETCHAR, SHUTDOWN), BASE, IPI, RFENCE, HSM}  # extensions that the firmware has
NOT_SUPPORTED = 0xFFFFFFFE
BARREN = 60  # traps in a row after which a machine is about to report that it is stuck


class Modelled:
    """The model, in the state of a Machine whose virtual time counts instructions.

    ValueError if the machine's time counts cycles, which the model does not have.

    `ended` is true when the guest has turned the machine off, or does what the model cannot
    do: use a device other than the console's transmitter, or make a call that few kernels
    make.  Then `beyond` says what, and nothing more can be compared.
    """

    def __init__(self, machine: Machine) -> None:
        if not machine.hart.clock.icount:
            raise ValueError('the model counts instructions: make the machine with clock="icount"')
        hart, made = Hart(Bus(len(machine.ram)), int(machine.hart.pc)), machine.hart
        hart.bus.ram[:] = machine.ram.tobytes()
        hart.x, hart.priv = made.x[:32].tolist(), int(made.priv)
        hart.csr |= {name: int(made.csr[name]) for name in hart.csr}
        hart.per_tick = int(made.clock.per_tick)
        hart.retired, hart.idle = int(made.clock.instret), int(made.clock.idle)
        hart.offset = int(made.clock.offset)
        hart.svade, hart.profile = int(made.root.svade), int(made.root.profile)
        self.hart, self.ended, self.beyond = hart, False, ""
        self.traps: Counter[str] = Counter()

    def step(self) -> Effects:
        """What the model did; nothing, if it cannot do the step."""
        try:
            asked = self.hart.bus.answers
            fx = self.hart.step()
            if self.hart.bus.answers > asked and not fx.reg:  # the machine does not know it either
                fx = replace(fx, load=(fx.load[0], 0, fx.load[2]))
            if fx.exit:
                fx = self._answered(fx)
        except NotModelled as error:
            self.ended, self.beyond = True, str(error)
            return Effects(self.hart.pc, next_pc=self.hart.pc)
        if fx.trap:
            self.traps[name_of(fx.trap[0])] += 1
        if self.hart.bus.finish is not None:
            self.ended = True
        return fx

    def state(self) -> dict[str, int]:
        """Registers by name, pc, priv, CSRs; sip as a machine keeps it, without the timer's bit."""
        hart = self.hart
        named = dict(zip(REG_NAMES[1:], hart.x[1:]))
        kept = {"pc": hart.pc, "priv": int(hart.priv), "sip": hart.sip() & ~(1 << Irq.TIMER)}
        return named | hart.csr | kept

    def _answered(self, fx: Effects) -> Effects:
        """Answer a call of S; return what the step then did."""
        hart = self.hart
        if fx.exit[0] != Exc.ECALL_S:
            raise NotModelled(f"an exit to root: {name_of(fx.exit[0])}")
        before = list(hart.x)
        self._answer()
        hart.pc += 4
        hart.retired += 1
        changed = (n for n in (10, 11) if hart.x[n] != before[n])  # the first one is reported
        reg = next(((n, hart.x[n]) for n in changed), None)
        return replace(fx, next_pc=hart.pc, reg=reg)

    def _answer(self) -> None:
        """One SBI call; a0 is the error, and a1 the value, except for legacy calls."""
        x = self.hart.x
        extension, function, a0, a1 = x[17], x[16], x[10], x[11]
        error = 0
        if extension == PUTCHAR or (extension == DBCN and function == 2):
            self.hart.bus.console.append(a0 & 0xFF)
        elif extension == SET_TIMER or (extension == TIME and function == 0):
            self.hart.csr |= {"stimecmp": a0, "stimecmph": a1}
        elif extension == SHUTDOWN or (extension == SRST and function == 0 and max(a0, a1) == 0):
            self.ended = True
        elif extension in OTHERS or (extension in (DBCN, SRST) and function < 2):
            raise NotModelled(f"SBI call {extension:#x}, {function}")
        else:
            error = NOT_SUPPORTED
        x[10] = error
        if extension > SHUTDOWN:
            x[11] = 0


def rules_kept(machine: Machine, budget: int) -> int:
    """For how many instructions, at most `budget`, the guest does nothing that may leave a TLB
    stale.

    The machine must be in one of `machine_states`; only what the model has is looked at. So
    long all correct machines must agree on it: see `states.within_rules`.
    """
    model, begun, barren = Modelled(machine), machine.ram.tobytes(), 0
    while (kept := model.hart.retired) < budget and barren <= BARREN:
        fx = model.step()
        if not within_rules(begun, model.hart.bus.ram, model.hart.csr["satp"]):
            return kept
        if fx.idle or model.ended:
            break
        barren = barren + 1 if fx.trap else 0
    return budget
