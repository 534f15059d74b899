"""Answers for gdb's `monitor` command: what the machine knows and gdb has no command for.

It looks and changes nothing.  Must not know the protocol.
"""

from collections.abc import Callable

from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables import causes
from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import REG_NAMES
from toyisa.tables.levels import Level


def answer(machine: Machine, line: str) -> str:
    """What `monitor LINE` prints."""
    name, *arguments = line.split() or ["help"]
    command = COMMANDS.get(name)
    if command is None:
        return f"no monitor command {name!r}; there are {', '.join(COMMANDS)}\n"
    try:
        return command[1](machine, *arguments) + "\n"
    except (TypeError, ValueError, KeyError, OverflowError):
        return f"usage: monitor {command[0]}\n"


def _help(_machine: Machine) -> str:
    """this list"""
    return "\n".join(f"{usage:<20} {act.__doc__}" for usage, act in COMMANDS.values())


def _walk(machine: Machine, address: str) -> str:
    """how a virtual address is translated, table by table"""
    return "\n".join(inspect.walk(machine, int(address, 0) & inspect.M).lines())


def _cycles(machine: Machine) -> str:
    """instructions and cycles so far, by price class"""
    spent = {name: n for name, n in machine.cycles_by_class().items() if n}
    rows = [("instructions", machine.instret), ("cycles", machine.cycles)]
    rows += [(f"  {name}", n) for name, n in spent.items()]
    return "\n".join(f"{name:<14} {n:>16,}" for name, n in rows)


def _csr(machine: Machine, *names: str) -> str:
    """the value of a CSR, or of all"""
    chosen = names or [row.name for row in CSRS]
    return "\n".join(f"{name:<10} {inspect.csr(machine, name):#010x}" for name in chosen)


def _regs(machine: Machine) -> str:
    """the registers, the level, and the last trap"""
    hart = machine.hart
    cells = [f"{name:>4} {int(hart.x[n]):08x}" for n, name in enumerate(REG_NAMES)]
    rows = ["  ".join(cells[n : n + 4]) for n in range(0, 32, 4)]
    pc = int(hart.pc)
    rows.append(f"  pc {pc:08x} {machine.symbolize(pc)}, level {Level(int(hart.priv)).name}")
    rows.append(f"last trap: {causes.name(int(hart.csr.scause))}, stval {hart.csr.stval:#x}")
    return "\n".join(rows)


def _phys(machine: Machine, address: str, count: str = "4") -> str:
    """words of physical memory"""
    at = int(address, 0)
    rows = []
    for n in range(min(int(count, 0), 1024)):
        value = inspect.word(machine, at + 4 * n)
        rows.append(f"{at + 4 * n:#010x}  " + ("not RAM" if value is None else f"{value:08x}"))
    return "\n".join(rows)


def _traps(machine: Machine) -> str:
    """how often each trap was taken"""
    taken = machine.traps_by_cause()
    return "\n".join(f"{name:<16} {n:>12,}" for name, n in taken.items()) or "none yet"


def _exits(machine: Machine) -> str:
    """what a virtual machine's exits were for, and the cycles they took"""
    if not machine.virtual:
        return "a bare machine has no exits"
    rows = machine.exits().items()
    return "\n".join(f"{kind:<16} {row['count']:>12,} {row['cycles']:>16,}" for kind, row in rows)


COMMANDS: dict[str, tuple[str, Callable[..., str]]] = {
    "help": ("help", _help),
    "walk": ("walk ADDRESS", _walk),
    "phys": ("phys ADDRESS [COUNT]", _phys),
    "csr": ("csr [NAME ...]", _csr),
    "regs": ("regs", _regs),
    "cycles": ("cycles", _cycles),
    "traps": ("traps", _traps),
    "exits": ("exits", _exits),
}
