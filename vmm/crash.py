"""Answers for what a crash report says: where, why, the walk, the registers, the way there.

Must not know how it is shown, nor how the run was driven.
"""

from collections.abc import Callable, Iterator

from asm.disasm import disassemble
from toyisa import causes, inspect
from toyisa.exits import Reason
from toyisa.fields import REG_NAMES
from toyisa.levels import Level
from toyisa.machine import Machine
from vmm.trail import Place, Trail

LAST = 16  # instructions

Where = Callable[[int], str | None]  # the source line of an address, if it is known


def report(machine: Machine, trail: Trail | None, where: Where) -> Iterator[str]:
    """The lines of the report on a guest that cannot go on."""
    hart = machine.hart
    yield f"crash at {_place(machine, int(hart.pc), where)}, level {Level(int(hart.priv)).name}"
    cause, tval, pc = _why(machine)
    meaning = causes.MEANING.get(cause, "no trap")
    yield f"  cause  {causes.name(cause)}: {meaning}"
    yield f"  at     {_place(machine, pc, where)}"
    yield f"  stval  {tval:#010x}"
    if "page" in causes.name(cause) or "access" in causes.name(cause):
        yield from (f"  walk   {line}" for line in inspect.walk(machine, tval).lines())
    for n in range(0, 32, 4):
        cells = (f"{REG_NAMES[m]:>4} {int(hart.x[m]):08x}" for m in range(n, n + 4))
        yield "  " + "  ".join(cells)
    names = ("sstatus", "stvec", "sepc", "scause", "satp", "sscratch")
    yield "  " + "  ".join(f"{name} {int(hart.csr[name]):x}" for name in names)
    if trail:
        yield "  last instructions:"
        for place in trail.last(LAST):
            yield f"    {_executed(machine, place, where)}"


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


def _why(machine: Machine) -> tuple[int, int, int]:
    """Cause, tval and pc of the trap that ended it: the one to root, or S's last."""
    stop = machine.hart.exit
    if stop.reason == Reason.TRAP and int(stop.pc) == int(machine.hart.pc):
        return int(stop.cause), int(stop.tval), int(stop.pc)
    csr = machine.hart.csr
    return int(csr.scause), int(csr.stval), int(csr.sepc)


def _place(machine: Machine, address: int, where: Where) -> str:
    line = where(address)
    return f"{address:#010x} {machine.symbolize(address)}" + (f" ({line})" if line else "")
