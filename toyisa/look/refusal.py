"""Answers for which bit refuses an access: the entry of the tables, its level, and the reason.

It decides as the MMU does, but in words and without a side effect.  Must not know which
instruction accesses, nor whether the access was ever made.
"""

from dataclasses import dataclass
from enum import Enum

from toyisa.core.memory import FINISHER, PAGE, PLIC_BASE, RAM_BASE, UART, VIRTIO, VIRTIO_SLOTS
from toyisa.core.mmu import MXR, SUM, A, D, R, U, V, W, X
from toyisa.look.inspect import PAGED, M, Seen, read_physical, word
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


class Why(Enum):
    """What refused it."""

    INVALID = "V clear"
    RESERVED = "W set and R clear, which is reserved"
    RESERVED_TABLE = "D, A or U set in an entry that leads to a table, which is reserved"
    NO_LEAF = "R and X clear at the last level, so it is no leaf"
    MISALIGNED = "a superpage whose frame is not a multiple of 4 MiB"
    NOT_READABLE = "R clear"
    NOT_WRITABLE = "W clear"
    NOT_EXECUTABLE = "X clear"
    NOT_USER = "U clear, and the access came from U"
    USER_CODE = "U set: S never executes a user's page"
    NO_SUM = "U set, and SUM in sstatus is clear"
    NOT_ACCESSED = "A clear (the machine has Svade: the kernel sets it)"
    NOT_DIRTY = "D clear (the machine has Svade: the kernel sets it)"
    TABLE_OUTSIDE = "the table is outside RAM"
    OUTSIDE = "there is neither RAM nor a device"


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
                return f"{head}{self.why.value} at physical {self.at:#010x}{mapped}"
            case Why.TABLE_OUTSIDE:
                return f"{head}{self.why.value}: its entry would be at {self.at:#010x}"
        kind = "leaf" if self.pte & V and self.pte & (R | X) else "entry"
        mxr = " (X is set, but MXR in sstatus is clear)" if (
            self.why is Why.NOT_READABLE and self.pte & X) else ""  # fmt: skip
        return (
            f"{head}{self.why.value}{mxr}, in the {kind} at {self.at:#010x} = "
            f"{self.pte:#010x}, level {self.level}"
        )


def refusal(machine: Seen, va: int, access: Access, level: int) -> Refusal | None:
    """Why the tables and RAM refuse the access at `level` now; None if they do not."""
    csr = machine.hart.csr
    satp, status = int(csr.satp), int(csr.sstatus)
    if not satp & PAGED:
        return _outside(machine, access, va, va, -1, 0)
    table = (satp & SATP_PPN_MASK) << PAGE_SHIFT
    for depth in (1, 0):
        at = table + 4 * (va >> (12 + 10 * depth) & 0x3FF)
        pte = machine.entry_seen(word(machine, at))
        if pte is None:
            return Refusal(access, va, Why.TABLE_OUTSIDE, at, depth, 0)
        why = _entry(depth, pte)
        if why is None and pte & (R | X):
            why = _leaf(machine, pte, access, level, status, depth)
            if why is None:
                size = PAGE << 10 * depth
                pa = (pte >> 10 << 12) | va & (size - 1)
                return _outside(machine, access, va, pa, depth, pte)
        if why is not None:
            return Refusal(access, va, why, at, depth, pte)
        table = pte >> 10 << 12
    return None


def _entry(depth: int, pte: int) -> Why | None:
    """What is wrong with an entry for any access."""
    if not pte & V:
        return Why.INVALID
    if pte & (R | W) == W:
        return Why.RESERVED
    if not pte & (R | X):
        if depth == 0:
            return Why.NO_LEAF
        return Why.RESERVED_TABLE if pte & (D | A | U) else None
    return None


def _leaf(machine: Seen, pte: int, access: Access, level: int, status: int, depth: int):
    """Why a leaf refuses the access, in the order in which the MMU checks."""
    if level == Level.U and not pte & U:
        return Why.NOT_USER
    if level == Level.S and pte & U:
        if access is Access.FETCH:
            return Why.USER_CODE
        if not status & SUM:
            return Why.NO_SUM
    if access is Access.FETCH and not pte & X:
        return Why.NOT_EXECUTABLE
    if access is Access.STORE and not pte & W:
        return Why.NOT_WRITABLE
    if access is Access.LOAD and not (pte & R or (status & MXR and pte & X)):
        return Why.NOT_READABLE
    if depth == 1 and pte >> 10 & 0x3FF:
        return Why.MISALIGNED
    if machine.hart.root.svade and not pte & A:
        return Why.NOT_ACCESSED
    if machine.hart.root.svade and access is Access.STORE and not pte & D:
        return Why.NOT_DIRTY
    return None


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
