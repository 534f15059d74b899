"""Answers for where a guest first sees that it is not on a bare machine, and through which hole.

Must not know how that is shown.  The classes of holes are Popek and Goldberg's, as Robin and
Irvine found them in x86.
"""

from dataclasses import dataclass
from enum import Enum

from asm.disasm import disassemble
from toyisa.look.effects import word_at
from toyisa.machine import Machine
from toyisa.tables import insns
from toyisa.tables.bits import BITS
from toyisa.tables.csrs import BY_NUMBER, Csr
from toyisa.tables.fields import FIELDS, REG_NAMES, rd_of
from toyisa.tables.levels import Level
from vmm.watch.lockstep import Lockstep


class Hole(Enum):
    """What a sensitive instruction did when it should have trapped."""

    DROP = "silent drop"
    LEAK = "leak of real state"
    BEHAVIOUR = "behaviour by real state"
    NONE = "no hole of the profile"


@dataclass(frozen=True)
class Difference:
    """A register after the instruction: on the bare machine, and in the guest."""

    name: str
    bare: int
    guest: int
    meaning: str  # the CSR whose bits it has

    @property
    def bits(self) -> str:
        """The names of the bits that differ, if they have some."""
        prefix = f"{self.meaning.upper()}_"
        return " ".join(
            name.removeprefix(prefix) for name, mask in BITS.items()
            if name.startswith(prefix) and mask.bit_count() == 1 and mask & (self.bare ^ self.guest)
        )  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """The first instruction after which a guest differs from the same guest run bare."""

    instret: int
    pc: int
    level: Level
    insn: int | None
    text: str  # its disassembly
    holes: tuple[Hole, ...]
    why: str
    differences: tuple[Difference, ...]


def find_leak(bare: Machine, guest: Machine, limit: int) -> tuple[Leak | None, str]:
    """The first leak within `limit` instructions, or why there was none: "halted", "budget" ...

    The two machines are made and loaded alike, with the clock in instructions.
    """
    pair = Lockstep(bare, guest)
    found = pair.run(limit)
    if found is None:
        return None, pair.ended or "budget"
    word = word_at(bare, found.pc)
    row = None if word is None else insns.find(word)
    read = _csr(row, word)
    differences = tuple(
        Difference(_name(name), a, b, read.name if read and name[0] == "x" else name)
        for name, (a, b) in found.changes.items()
    )
    holes, why = _holes(word, {difference.name for difference in differences})
    text = "cannot be fetched" if word is None else disassemble(word, found.pc)
    level = Level(found.level)
    return Leak(found.instret, found.pc, level, word, text, holes, why, differences), "leak"


def _name(name: str) -> str:
    return REG_NAMES[int(name[1:])] if name[0] == "x" else name


def _holes(word: int | None, differing: set[str]) -> tuple[tuple[Hole, ...], str]:
    """The holes through which the instruction `word` can have made these registers differ."""
    row = None if word is None else insns.find(word)
    if row is not None and row.name.startswith("probe."):
        return (Hole.BEHAVIOUR,), (
            "it answers by the real level and tables, and does not trap, as x86's VERR and LAR"
        )
    register = _csr(row, word)
    holes, reasons = [], []
    if register and register.drops_writes and register.name in differing:
        holes.append(Hole.DROP)
        reasons.append(f"a write to {register.name} is ignored and does not trap, as x86's POPF")
    target = REG_NAMES[rd_of(word)] if word is not None else ""
    if register and register.leaks_reads and target in differing:
        holes.append(Hole.LEAK)
        reasons.append(f"{register.name} reads as the real register and does not trap, as "
                       "x86's SMSW, SIDT and STR")  # fmt: skip
    if not holes:
        return (Hole.NONE,), "the engine itself made the difference, not the machine"
    return tuple(holes), "; ".join(reasons)


def _csr(row: insns.Insn | None, word: int | None) -> Csr | None:
    if row is None or row.cost is not insns.Cost.CSR:
        return None
    return BY_NUMBER.get(FIELDS["csr"].extract(word))
