"""Answers for what a crash report says: where, why, the walk, the registers, the last steps.

Must not know how it is shown, nor how the run was driven.
"""

from collections.abc import Callable, Iterator

from asm.disasm import disassemble
from toyisa.look import inspect
from toyisa.look.refusal import refusal
from toyisa.machine import Machine
from toyisa.tables import causes
from toyisa.tables.exits import Reason
from toyisa.tables.fields import REG_NAMES
from toyisa.tables.levels import Level
from vmm.diagnose.faults import LOADS, STORES, access_of
from vmm.diagnose.traps import FETCH_FAULTS, Taken, first_fault, taken, unreturned
from vmm.watch.laststeps import LastSteps, Place

LAST = 16  # instructions

Where = Callable[[int], str | None]  # the source line of an address, if it is known


def report(machine: Machine, steps: LastSteps | None, where: Where) -> Iterator[str]:
    """The lines of the report on a guest that cannot go on: the first fault, then the rest."""
    hart = machine.hart
    chain = _chain(machine)
    first = first_fault(chain) or chain[0]
    yield f"crash: {causes.MEANING.get(first.cause, first.name)} at " + _place(
        machine, first.pc, where
    ) + f", level {first.level.name}"
    yield f"  cause  {first.name}: {first.meaning}"
    yield f"  stval  {first.first_tval:#010x}"
    if first.cause in FETCH_FAULTS | LOADS | STORES:
        found = refusal(machine, first.first_tval, access_of(first), first.level)
        if found:
            yield f"  why    {found}"
        walk = inspect.walk(machine, first.first_tval)
        yield from (f"  walk   {line}" for line in walk.lines())
    for trap in chain[chain.index(first) :]:
        times = trap.times - (trap is first)
        if times:
            yield f"  then   {_followed(machine, trap, times, where)}"
    yield f"  now    at {_place(machine, int(hart.pc), where)}, level {Level(int(hart.priv)).name}"
    for n in range(0, 32, 4):
        cells = (f"{REG_NAMES[m]:>4} {int(hart.x[m]):08x}" for m in range(n, n + 4))
        yield "  " + "  ".join(cells)
    names = ("sstatus", "stvec", "sepc", "scause", "stval", "satp", "sscratch")
    yield "  " + "  ".join(f"{name} {int(hart.csr[name]):x}" for name in names)
    if steps:
        yield "  last instructions:"
        for place in steps.last(LAST):
            yield f"    {_executed(machine, place, where)}"


def _followed(machine: Machine, trap: Taken, times: int, where: Where) -> str:
    often = f", {times:,} times" if times > 1 else ""
    return (
        f"{trap.name}: {trap.meaning} at {_place(machine, trap.pc, where)}{often}, "
        f"stval {trap.tval:#010x}"
    )


def _executed(machine: Machine, place: Place, where: Where) -> str:
    word = place.word
    text = "cannot be fetched" if word is None else disassemble(word, place.pc)
    line = f"{place.pc:08x} {machine.symbolize(place.pc):<20} {text:<26}"
    if place.times > 1:
        line += f" ({place.times} times)"
    if place.trap:
        line += f" trap: {causes.name(place.trap[0])}, stval {place.trap[1]:#x}"
    source = where(place.pc)
    return f"{line} {source}" if source else line.rstrip()


def _chain(machine: Machine) -> list[Taken]:
    """The traps that ended it: the one to root, or those of S that never returned."""
    hart = machine.hart
    stop = hart.exit
    if stop.reason == Reason.TRAP and int(stop.pc) == int(hart.pc):
        now = machine.instret
        return [Taken(int(stop.cause), int(stop.pc), Level(int(hart.priv)), int(stop.tval),
                      int(stop.tval), 1, now, now, 0)]  # fmt: skip
    pending = hart.pending
    chain = unreturned(taken(hart))
    if chain and pending.barren and pending.barren_at == machine.instret and (
        len(chain) == hart.taken.times.size
    ):
        first = Taken(
            int(pending.first_cause), int(pending.first_pc), Level(int(hart.priv)),
            int(pending.first_tval), int(pending.first_tval), 1, machine.instret,
            machine.instret, 0,
        )  # fmt: skip
        chain.insert(0, first)
    return chain or [
        Taken(int(hart.csr.scause), int(hart.csr.sepc), Level(int(hart.priv)),
              int(hart.csr.stval), int(hart.csr.stval), 1, machine.instret, machine.instret, 0)
    ]  # fmt: skip


def _place(machine: Machine, address: int, where: Where) -> str:
    line = where(address)
    return f"{address:#010x} {machine.symbolize(address)}" + (f" ({line})" if line else "")
