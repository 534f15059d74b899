"""Answers for what is known of a stopped guest: its traps, its next steps, its code.

All sentences use these facts, and the names of instructions and places.  Must not draw
conclusions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from asm.disasm import disassemble
from toyisa.core.memory import RAM_BASE
from toyisa.load.elf import Elf, Malformed
from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables.fields import REG_NAMES, rs1_of
from toyisa.tables.insns import Cost, Insn, find
from vmm.diagnose.traps import Taken, first_fault, unreturned
from vmm.diagnose.window import Window

Where = Callable[[int], str | None]  # `file:line: text` of an address, if it is known
M = inspect.M
MAX_CODE = 4 << 20  # bytes of code that are compared with RAM
ACCESSES = (Cost.LOAD, Cost.STORE, Cost.ATOMIC)


@dataclass(frozen=True)
class Code:
    """A guest's code as it was linked: pieces at virtual addresses; none if it is not known."""

    pieces: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def of(cls, data: bytes | None) -> Code:
        """The code in an ELF, as far as it can be read."""
        if not data:
            return cls()
        try:
            return cls(tuple(Elf(data).code()))
        except (Malformed, ValueError):
            return cls()

    def word(self, address: int) -> int | None:
        """The instruction word that was loaded at `address`."""
        for start, data in self.pieces:
            if start <= address <= start + len(data) - 4:
                return int.from_bytes(data[address - start : address - start + 4], "little")
        return None

    def holds(self, address: int) -> bool:
        """Whether there is code at `address`."""
        return any(start <= address < start + len(data) for start, data in self.pieces)


@dataclass
class Facts:
    """A stopped machine, how it ended (`session.Outcome.exit`), and what it would do next."""

    machine: Machine
    exit: str
    traps: list[Taken] = field(default_factory=list)  # the latest, the oldest first
    counts: dict[str, int] = field(default_factory=dict)  # of all traps, by cause
    came_from: int | None = None  # the pc before the first fault, if it is known
    window: Window = field(default_factory=Window)
    code: Code = field(default_factory=Code)
    where: Where = lambda _address: None

    @cached_property
    def chain(self) -> list[Taken]:
        """The traps from which the guest never returned."""
        return unreturned(self.traps)

    @cached_property
    def fault(self) -> Taken | None:
        """The first of them that is an exception."""
        return first_fault(self.chain)

    @cached_property
    def stopped_itself(self) -> bool:
        """Whether the guest failed or cannot go on; otherwise it was stopped."""
        return self.exit in ("halted", "fatal", "idle", "panic")

    @cached_property
    def range(self) -> str:
        """Where RAM lies, for people."""
        end = RAM_BASE + self.machine.ram.size
        return f"{RAM_BASE:#010x} to {end - 1:#010x}"

    def csr(self, name: str) -> int:
        return int(self.machine.hart.csr[name])

    def word(self, pc: int) -> int | None:
        """The instruction word at virtual `pc` now."""
        data = inspect.read(self.machine, pc & ~3, 4)
        return int.from_bytes(data, "little") if len(data) == 4 else self.code.word(pc)

    def row(self, pc: int) -> Insn | None:
        word = self.word(pc)
        return None if word is None else find(word)

    def place(self, pc: int) -> str:
        """`handler+0x8 (kernel.S:12)` for an address."""
        line = self.line(pc)
        return self.machine.symbolize(pc) + (f" ({line})" if line else "")

    def line(self, pc: int) -> str | None:
        """`file:number`, without the text."""
        line = self.where(pc)
        return ":".join(line.split(":")[:2]) if line else None

    def insn(self, pc: int, word: int | None = None) -> str:
        """The instruction at an address, and where it is: for the middle of a sentence.

        `word` is the instruction itself, if it is known.
        """
        word = self.word(pc) if word is None else word
        if word is None:
            return f"the instruction at {self.place(pc)}"
        return f"`{disassemble(word, pc)}` at {self.place(pc)}"

    def base(self, trap: Taken) -> tuple[str, int] | None:
        """The base register of a load or store that trapped, and its value at that time."""
        word, row = self.word(trap.pc), self.row(trap.pc)
        if word is None or row is None or row.cost not in ACCESSES:
            return None
        return REG_NAMES[rs1_of(word)], trap.first_tval - offset(row, word) & M

    def named(self, address: int) -> str:
        """An address as a value: hex, with the symbol at it or a little before it."""
        name = self.machine.symbolize(address)
        inside = RAM_BASE <= address < RAM_BASE + self.machine.ram.size
        return f"{address:#010x} ({name})" if inside and name[:2] != "0x" else f"{address:#x}"


def offset(row: Insn, word: int) -> int:
    """The offset of a load or store; an atomic has none."""
    return next((f.extract(word) for f in row.fields if f.name.endswith("imm12")), 0)


def target(pc: int, word: int) -> int | None:
    """The possible target of a branch or `jal` at `pc`."""
    row = find(word)
    parts = [f for f in row.fields if f.name in ("branch", "jump")] if row else []
    return pc + parts[0].extract(word) & M if parts else None
