"""Answers for what a stopped machine holds, as people and debuggers ask: no side effects.

Addresses are translated by the guest's tables without regard to permissions; CSRs include
those that derive from the clock.  Must not change anything, not even an A bit or a TLB entry.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.state import NEVER
from toyisa.core.sv32 import LOOK, R, V, Why, X, plain_walk
from toyisa.tables.bits import PAGE_SHIFT, SATP_MODE_SV32, SATP_PPN_MASK
from toyisa.tables.causes import Irq
from toyisa.tables.csrs import BY_NAME

M = 0xFFFF_FFFF
PAGED = SATP_MODE_SV32
_FLAGS = "DAGUXWRV"  # bits 7 down to 0 of a PTE


class Seen(Protocol):
    """What functions here need of a stopped machine; `Machine` and `VirtualMachine` have it."""

    hart: np.record    # the hart whose state people mean; for a virtual machine the virtual one
    memory: np.record
    ram: np.ndarray    # bytes, by guest-physical address less `RAM_BASE`
    tables_are_guests: bool  # page tables hold the guest's own frame numbers

    def entry_seen(self, pte: int | None) -> int | None:
        """A table entry as the guest means it."""


@dataclass(frozen=True)
class Step:
    """One table entry of a walk: its level, 1 or 0, its place and its value."""

    level: int
    at: int          # physical address of the entry
    pte: int | None  # None: there is no RAM at that address

    def __str__(self) -> str:
        if self.pte is None:
            return f"level {self.level}: entry at {self.at:#010x}: not in RAM"
        entry = f"level {self.level}: entry at {self.at:#010x} = {self.pte:#010x}"
        return f"{entry}: {pte_text(self.pte)}"


@dataclass(frozen=True)
class Walk:
    """How a virtual address is translated; if it is not, `pa` is None and `why` says why."""

    va: int
    paged: bool
    steps: tuple[Step, ...]
    pa: int | None
    why: str

    def lines(self) -> list[str]:
        """The walk for people, one level on each line."""
        head = f"{self.va:#010x}: " + ("by the tables" if self.paged else "paging is off")
        end = f"-> physical {self.pa:#010x}" if self.pa is not None else f"-> {self.why}"
        return [head, *(f"  {step}" for step in self.steps), f"  {end}"]


def pte_text(pte: int) -> str:
    """A PTE for people: its flags in the order of the bits, and the frame."""
    flags = "".join(name if pte >> bit & 1 else "-" for name, bit in zip(_FLAGS, range(7, -1, -1)))
    if not pte & V:
        return f"{flags} not valid"
    kind = "leaf" if pte & (R | X) else "table"
    return f"{flags} {kind} {pte >> 10 << 12:#010x}"


def walk(machine: Seen, va: int) -> Walk:
    """The walk of `va` by the current tables, without regard to permissions."""
    satp = int(machine.hart.csr.satp)
    if not satp & PAGED:
        return Walk(va, False, (), va, "")
    steps: list[Step] = []
    root = (satp & SATP_PPN_MASK) << PAGE_SHIFT
    why, level, _at, pte = _walk((machine, steps), root, va, LOOK, 0)
    if why:
        return Walk(va, True, tuple(steps), None, _FAULTS[Why(why)])
    return Walk(va, True, tuple(steps), leads_to(level, pte, va), "")


def leads_to(level: int, leaf: int, va: int) -> int:
    """The physical address that a leaf at that level gives to `va`."""
    return (leaf >> 10 << 12) | va & ((PAGE << 10 * level) - 1)


def entry_at(machine: Seen, at: int) -> int:
    """The table entry at physical `at`, or minus what refuses it, as `sv32` has it."""
    pte = machine.entry_seen(word(machine, at))
    return -Why.TABLE_OUTSIDE if pte is None else pte


def _read(where: tuple[Seen, list[Step]], at: int, level: int) -> int:
    machine, steps = where
    pte = entry_at(machine, at)
    steps.append(Step(level, at, None if pte < 0 else pte))
    return pte


_walk = plain_walk(_read)

# Why a walk ends without a translation, whoever accesses.
_FAULTS = {
    Why.TABLE_OUTSIDE: "access fault: the table is outside RAM",
    Why.INVALID: "page fault: the entry is not valid",
    Why.RESERVED: "page fault: W without R is reserved",
    Why.RESERVED_TABLE: "page fault: D, A or U without R and X is reserved",
    Why.MISALIGNED: "page fault: a misaligned superpage",
    Why.NO_LEAF: "page fault: no leaf at the last level",
}


def word(machine: Seen, pa: int) -> int | None:
    """The word of RAM at physical `pa`, or None outside RAM."""
    data = read_physical(machine, pa, 4)
    return int.from_bytes(data, "little") if len(data) == 4 else None


def read_physical(machine: Seen, pa: int, size: int) -> bytes:
    """Up to `size` bytes of RAM at physical `pa`: fewer at the end of RAM, none outside it."""
    at = pa - RAM_BASE
    return machine.ram[at : at + size].tobytes() if 0 <= at < machine.ram.size else b""


def read(machine: Seen, va: int, size: int) -> bytes:
    """Up to `size` bytes at virtual `va`, as far as they are mapped to RAM."""
    data = b""
    while size > 0:
        here = min(size, PAGE - va % PAGE)
        pa = walk(machine, va).pa
        piece = b"" if pa is None else read_physical(machine, pa, here)
        data += piece
        if len(piece) < here:
            break
        va, size = (va + here) & M, size - here
    return data


def csr(machine: Seen, name: str) -> int:
    """What S would read from CSR `name` now; KeyError if there is none."""
    row = BY_NAME[name]
    hart = machine.hart
    clock = hart.clock
    busy = int(clock.instret if clock.icount else clock.cycles)
    now = busy + int(clock.idle) - int(clock.offset)  # on the clock of the guest's domain
    if row.read_only:
        counters = {
            "cycle": now,
            "time": now // int(clock.per_tick),
            "instret": now if clock.icount else int(clock.instret),
        }
        low, high = name.removesuffix("h"), name.endswith("h")
        return counters[low] >> (32 if high else 0) & M
    value = int(hart.csr[name])
    if name == "sip" and now >= _deadline(hart):
        value |= 1 << Irq.TIMER
    return value


def _deadline(hart) -> int:
    ticks = int(hart.csr.stimecmph) << 32 | int(hart.csr.stimecmp)
    return min(ticks * int(hart.clock.per_tick), NEVER)
