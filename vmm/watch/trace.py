"""Answers for `--trace`: what each step did, in lines for people.

    insn S 0x80000010 loop+0x4   addi s0,s0,1        s0=0x00000005
    mem  load 4 at 0x80001000 = 0x00000000
    csr  sepc=0x80000030
    trap illegal at 0x80000030 cause_trap, stval 0x00000000 -> 0x80000050 handler
    mmu  0x00401000 -> 0x80012000, 2 table entries read

Must not know how the steps are made.
"""

from collections.abc import Collection
from typing import TextIO

from asm.disasm import disassemble
from toyisa.look import inspect
from toyisa.look.effects import Effects
from toyisa.machine import Machine
from toyisa.tables import causes
from toyisa.tables.cost import Event
from toyisa.tables.fields import REG_NAMES

KINDS = ("insn", "mem", "trap", "csr", "mmu")


class Trace:
    """Writes to `file` the lines of the wanted `kinds`."""

    def __init__(self, machine: Machine, kinds: Collection[str], file: TextIO):
        self.kinds, self.file = kinds, file
        self._refs = self._table_reads(machine)

    def __call__(self, machine: Machine, effects: Effects, level: int) -> None:
        for kind, text in self._lines(machine, effects, level):
            if kind in self.kinds:
                self.file.write(f"{kind:<5}{text}\n")

    def _lines(self, machine: Machine, fx: Effects, level: int):
        if fx.insn is not None:
            text = disassemble(fx.insn, fx.pc)
            wrote = f"{REG_NAMES[fx.reg[0]]}={fx.reg[1]:#010x}" if fx.reg else ""
            where = f"{'US'[level]} {fx.pc:#010x} {machine.symbolize(fx.pc):<20}"
            yield "insn", f"{where} {text:<28} {wrote}".rstrip()
        reads, self._refs = self._table_reads(machine) - self._refs, self._table_reads(machine)
        if reads:
            yield "mmu", f"{_translated(machine, fx)}, {reads} table entries read"
        for name, access in (("load", fx.load), ("store", fx.store)):
            if access:
                va, value, size = access
                yield "mem", f"{name} {size} at {va:#010x} = {value:#0{2 + 2 * size}x}"
        if fx.trap:
            scause, stval = fx.trap
            yield "trap", (
                f"{causes.name(scause)} at {fx.pc:#010x} {machine.symbolize(fx.pc)}, "
                f"stval {stval:#010x} -> {fx.next_pc:#010x} {machine.symbolize(fx.next_pc)}"
            )
        for name, value in fx.csrs.items():
            yield "csr", f"{name}={value:#010x}"

    @staticmethod
    def _table_reads(machine: Machine) -> int:
        return int(machine.hart.counts.event[Event.WALK_REF])


def _translated(machine: Machine, fx: Effects) -> str:
    """The address for which tables were read, as far as the step shows it."""
    va = fx.pc
    if fx.trap:
        va = fx.trap[1]
    elif fx.load or fx.store:
        va = (fx.load or fx.store)[0]
    found = inspect.walk(machine, va)
    return f"{va:#010x} -> " + (found.why if found.pa is None else f"{found.pa:#010x}")
