"""Answers for which bit refuses an access: the entry of the tables, its level, and the reason.

It decides as the MMU does, but in words and without a side effect.  Must not know which
instruction accesses, nor whether the access was ever made.
"""

from dataclasses import dataclass
from enum import Enum

from toyisa.core.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, VIRTIO, VIRTIO_SLOTS
from toyisa.core.sv32 import (
    BY_S,
    FETCH,
    LOAD,
    MXR,
    STORE,
    SUM,
    SVADE,
    R,
    V,
    Why,
    X,
    plain_walk,
)  # fmt: skip
from toyisa.look.inspect import PAGED, M, Seen, entry_at, leads_to, read_physical
from toyisa.tables.bits import PAGE_SHIFT, SATP_PPN_MASK
from toyisa.tables.levels import Level

DEVICES = (
    (FINISHER, PAGE), (PLIC_BASE, 0x40_0000), (UART, PAGE), (VIRTIO, VIRTIO_SLOTS * PAGE),
)  # fmt: skip


class Access(Enum):
    """What was tried; the value is the word for it."""

    FETCH = "fetch"
    LOAD = "load"
    STORE = "store"


_KINDS = {Access.FETCH: FETCH, Access.LOAD: LOAD, Access.STORE: STORE}

# What refuses an access, in words.
WORDS = {
    Why.INVALID: "V clear",
    Why.RESERVED: "W set and R clear, which is reserved",
    Why.RESERVED_TABLE: "D, A or U set in an entry that leads to a table, which is reserved",
    Why.NO_LEAF: "R and X clear at the last level, so it is no leaf",
    Why.MISALIGNED: "a superpage whose frame is not a multiple of 4 MiB",
    Why.NOT_READABLE: "R clear",
    Why.NOT_WRITABLE: "W clear",
    Why.NOT_EXECUTABLE: "X clear",
    Why.NOT_USER: "U clear, and the access came from U",
    Why.USER_CODE: "U set: S never executes a user's page",
    Why.NO_SUM: "U set, and SUM in sstatus is clear",
    Why.NOT_ACCESSED: "A clear (the machine has Svade: the kernel sets it)",
    Why.NOT_DIRTY: "D clear (the machine has Svade: the kernel sets it)",
    Why.TABLE_OUTSIDE: "the table is outside RAM",
    Why.OUTSIDE: "there is neither RAM nor a device",
}


@dataclass(frozen=True)
class Refusal:
    """Why an access to `va` is refused.

    `at` is the physical address of the entry that refuses it, or, for OUTSIDE, of the access
    itself; `level` is -1 if no entry is the reason.
    """

    access: Access
    va: int
    why: Why
    at: int
    level: int
    pte: int

    def __str__(self) -> str:
        head = f"{self.access.value} refused: "
        match self.why:
            case Why.OUTSIDE:
                mapped = "" if self.level < 0 else f", to which {self.va:#010x} is mapped"
                return f"{head}{WORDS[self.why]} at physical {self.at:#010x}{mapped}"
            case Why.TABLE_OUTSIDE:
                return f"{head}{WORDS[self.why]}: its entry would be at {self.at:#010x}"
        kind = "leaf" if self.pte & V and self.pte & (R | X) else "entry"
        mxr = " (X is set, but MXR in sstatus is clear)" if (
            self.why is Why.NOT_READABLE and self.pte & X) else ""  # fmt: skip
        return (
            f"{head}{WORDS[self.why]}{mxr}, in the {kind} at {self.at:#010x} = "
            f"{self.pte:#010x}, level {self.level}"
        )


def refusal(machine: Seen, va: int, access: Access, level: int) -> Refusal | None:
    """Why the tables and RAM refuse the access at `level` now; None if they do not."""
    csr = machine.hart.csr
    satp, status = int(csr.satp), int(csr.sstatus)
    if not satp & PAGED:
        return _outside(machine, access, va, va, -1, 0)
    root = (satp & SATP_PPN_MASK) << PAGE_SHIFT
    who = status & (SUM | MXR) | (BY_S if level == Level.S else 0)
    who |= SVADE if machine.hart.root.svade else 0
    why, depth, at, pte = _walk(machine, root, va, _KINDS[access], who)
    if why:
        return Refusal(access, va, Why(why), at, depth, max(pte, 0))
    return _outside(machine, access, va, leads_to(depth, pte, va), depth, pte)


def _read(machine: Seen, at: int, _depth: int) -> int:
    return entry_at(machine, at)


_walk = plain_walk(_read)


def _outside(machine, access: Access, va: int, pa: int, depth: int, pte: int) -> Refusal | None:
    if read_physical(machine, pa, 1) or (is_device(pa) and access is not Access.FETCH):
        return None
    return Refusal(access, va, Why.OUTSIDE, pa, depth, pte)


def is_device(pa: int) -> bool:
    """Whether a device may have a register at physical `pa`."""
    return any(base <= pa < base + size for base, size in DEVICES)


def in_ram(machine: Seen, va: int) -> bool:
    """Whether the virtual address `va` leads to RAM by the tables, without regard to
    permissions.
    """
    from toyisa.look.inspect import walk

    pa = walk(machine, va & M).pa
    return pa is not None and RAM_BASE <= pa < RAM_BASE + machine.ram.size
