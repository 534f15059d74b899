"""Answers for the commit log: a line for each retired instruction, in Spike's format.

    core   0: 1 0x80000008 (0x0182a283) x5  0x80000000 mem 0x80001018
              |  |            |         |              address loaded from
              |  pc           word      register written, its value
              level: 0 U, 1 S           (stores: mem ADDRESS VALUE)

Must not know how the steps are made.  Source: Spike's --log-commits.
"""

from typing import TextIO

from toyisa.look.effects import Effects
from toyisa.machine import Machine
from toyisa.tables import insns
from toyisa.tables.csrs import BY_NUMBER
from toyisa.tables.fields import csr_of, rs1_of


class CommitLog:
    """Writes to `file` what each step retired; traps retire nothing."""

    def __init__(self, file: TextIO):
        self.file = file

    def __call__(self, machine: Machine, effects: Effects, level: int) -> None:
        if effects.trap is None and effects.insn is not None:
            self.file.write(line(machine, effects, level) + "\n")


def line(machine: Machine, effects: Effects, level: int) -> str:
    """The line of one retirement."""
    text = f"core   0: {level} {effects.pc:#010x} ({effects.insn:#010x})"
    if effects.reg:
        number, value = effects.reg
        text += f" x{number:<2} {value:#010x}"
    text += _csr(machine, effects.insn)
    if effects.load:
        text += f" mem {effects.load[0]:#010x}"
    if effects.store:
        address, value, size = effects.store
        text += f" mem {address:#010x} {value:#0{2 + 2 * size}x}"
    return text


def _csr(machine: Machine, insn: int) -> str:
    """The CSR that an instruction writes, even to the value that it had."""
    row = insns.find(insn)
    if row is None or row.cost is not insns.Cost.CSR:
        return ""
    number, operand = csr_of(insn), rs1_of(insn)
    if not row.name.startswith("csrrw") and operand == 0:
        return ""
    name = BY_NUMBER[number].name
    return f" c{number}_{name} {int(machine.hart.csr[name]):#010x}"
