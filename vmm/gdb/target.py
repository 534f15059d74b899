"""Answers for which registers gdb sees: their numbers, the target description, values.

gdb knows the features `org.gnu.gdb.riscv.cpu` and `.csr` by name.  Must not know
the protocol.

    0..31  x0..x31     32  pc     65 + n  CSR number n     4161  priv
"""

from toyisa.core.tlb import recontext
from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables.csrs import BY_NUMBER, CSRS
from toyisa.tables.fields import REG_NAMES
from toyisa.tables.levels import Level

PC = 32
FIRST_CSR = 65
PRIV = FIRST_CSR + 4096
_GENERAL = 33  # the registers in the `g` packet


def description() -> str:
    """The target description, XML."""
    cpu = [_register(name, n, _kind(name)) for n, name in enumerate(REG_NAMES)]
    cpu.append(_register("pc", PC, "code_ptr"))
    csrs = [_register(row.name, FIRST_CSR + row.number, "uint32") for row in CSRS]
    virtual = [_register("priv", PRIV, "int")]
    features = {"cpu": cpu, "csr": csrs, "virtual": virtual}
    body = "".join(
        f'<feature name="org.gnu.gdb.riscv.{name}">{"".join(rows)}</feature>'
        for name, rows in features.items()
    )
    return (
        '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">'
        # Without this gdb would use the osabi of its host, and step by breakpoints, which misses
        # traps.
        '<target version="1.0"><architecture>riscv:rv32</architecture><osabi>none</osabi>'
        f"{body}</target>"
    )


def _kind(name: str) -> str:
    return {"ra": "code_ptr", "sp": "data_ptr", "gp": "data_ptr", "tp": "data_ptr"}.get(name, "int")


def _register(name: str, number: int, kind: str) -> str:
    return f'<reg name="{name}" bitsize="32" regnum="{number}" type="{kind}"/>'


def read(machine: Machine, number: int) -> int | None:
    """The value of gdb's register `number`, or None if there is none."""
    hart = machine.hart
    if 0 <= number < PC:
        return int(hart.x[number])
    if number == PC:
        return int(hart.pc)
    if number == PRIV:
        return int(hart.priv)
    row = BY_NUMBER.get(number - FIRST_CSR)
    return None if row is None else inspect.csr(machine, row.name)


def read_general(machine: Machine) -> bytes:
    """x0..x31 and pc, as in the `g` packet."""
    return b"".join(read(machine, n).to_bytes(4, "little") for n in range(_GENERAL))


def write(machine: Machine, number: int, value: int) -> bool:
    """Set gdb's register `number`; False if it does not exist or cannot be written."""
    hart = machine.hart
    row = BY_NUMBER.get(number - FIRST_CSR)
    if 0 <= number < PC:
        hart.x[number] = value if number else 0
    elif number == PC:
        hart.pc = value & ~3
    elif number == PRIV and value in (Level.U, Level.S):
        hart.priv = value
    elif row is not None and not row.read_only:
        hart.csr[row.name] = int(hart.csr[row.name]) & ~row.writable | value & row.writable
    else:
        return False
    recontext(hart)
    return True
