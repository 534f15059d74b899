"""Answers for translations that the TLB still holds though the tables have changed.

    fence `lw a0,0(t1)` at read+0x8: 0x40000000 is used as 0x80005000 ...

`sfence.vma` exists to prevent the use of one.  Must not know how the steps are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from toyisa.core.memory import PAGE
from toyisa.core.sv32 import R, U, W, X
from toyisa.look import inspect
from toyisa.look.effects import Effects
from toyisa.look.inspect import PAGED, M, Walk, pte_text
from toyisa.look.refusal import Access, refusal
from toyisa.machine import Machine
from toyisa.tables.bits import ASID, SATP_ASID_SHIFT

GLOBAL = 1 << 29  # in a TLB key: valid in every address space
REMEMBERED = 1 << 16  # stores whose place is remembered


@dataclass(frozen=True)
class Stale:
    """A translation of `va` that is not in the tables any more.

    `frame` is the physical page that the TLB holds.  The entry at `at`, of `level`, is now
    `pte`.  `pc` used the translation (None: no use is known).  `edited` is the pc of the
    store that changed the entry, if that was seen.
    """

    va: int
    frame: int
    at: int
    level: int
    pte: int
    pc: int | None = None
    access: Access = Access.LOAD
    edited: int | None = None


class FenceCheck:
    """Watches steps, and gives `take` each use of a stale translation."""

    def __init__(self, machine: Machine, take: Callable[[Stale], None]):
        self.take = take
        self._stores: dict[int, int] = {}  # physical word -> pc
        self._satp = int(machine.hart.csr.satp)

    def __call__(self, machine: Machine, effects: Effects, level: int) -> None:
        satp, self._satp = self._satp, int(machine.hart.csr.satp)
        store = self._stored(machine, effects)
        if not satp & PAGED or satp != self._satp:
            return
        uses = [] if effects.insn is None else [(effects.pc, Access.FETCH)]
        uses += [(effects.load[0], Access.LOAD)] if effects.load else []
        uses += [(effects.store[0], Access.STORE)] if effects.store else []
        for va, access in uses:
            found = _stale(machine, va, access, level)
            if found and found.at != store:
                edited = self._stores.get(found.at)
                self.take(Stale(found.va, found.frame, found.at, found.level, found.pte,
                                effects.pc, access, edited))  # fmt: skip

    def _stored(self, machine: Machine, effects: Effects) -> int | None:
        """Remember which instruction stored where; return the physical word of this step's
        store.
        """
        if not effects.store:
            return None
        va = effects.store[0]
        held = _held(machine, va, Access.STORE)
        if held is not None:
            pa = (held >> 10 << 12) & M | va & (PAGE - 1)
        else:
            pa = inspect.walk(machine, va).pa
        if pa is None:
            return None
        if len(self._stores) >= REMEMBERED:
            self._stores.clear()
        self._stores[pa & ~3] = effects.pc
        return pa & ~3


def _held(machine: Machine, va: int, access: Access) -> int | None:
    """What the modelled TLB holds for `va` in the current address space."""
    tlb = machine.hart.tlb
    keys, ptes, mask = (
        (tlb.ikey, tlb.ipte, tlb.imask) if access is Access.FETCH else
        (tlb.dkey, tlb.dpte, tlb.dmask)
    )  # fmt: skip
    vpn = va >> 12
    asid = int(machine.hart.csr.satp) >> SATP_ASID_SHIFT & ASID
    place = vpn & int(mask)
    if int(keys[place]) not in (vpn | asid << 20, vpn | GLOBAL):
        return None
    return int(ptes[place])


def _stale(machine: Machine, va: int, access: Access, level: int) -> Stale | None:
    """The translation that an access to `va` used, if the tables now refuse or change it."""
    held = _held(machine, va, access)
    if held is None:
        return None
    now = inspect.walk(machine, va)
    frame = held >> 10 << 12 & M
    if now.pa is not None and now.pa & ~(PAGE - 1) == frame:
        if refusal(machine, va, access, level) is None:
            return None
    return _named(va, frame, now)


def _named(va: int, frame: int, now: Walk) -> Stale | None:
    if not now.steps or now.steps[-1].pte is None:
        return None
    step = now.steps[-1]
    return Stale(va, frame, step.at, step.level, step.pte)


def left(machine: Machine) -> Iterator[Stale]:
    """Translations in the TLB that differ from the tables: another frame, or fewer rights."""
    satp = int(machine.hart.csr.satp)
    if not satp & PAGED:
        return
    tlb = machine.hart.tlb
    for keys, ptes, mask in ((tlb.dkey, tlb.dpte, tlb.dmask), (tlb.ikey, tlb.ipte, tlb.imask)):
        asid = satp >> SATP_ASID_SHIFT & ASID
        places = np.arange(int(mask) + 1)
        kept = keys[places]
        ours = (kept >= 0) & ((kept & GLOBAL != 0) | (kept >> 20 == asid))
        for place in places[ours].tolist():
            va, held = (int(keys[place]) & 0xF_FFFF) << 12, int(ptes[place])
            now = inspect.walk(machine, va)
            frame = held >> 10 << 12 & M
            lost = 0
            if now.pa is not None and now.steps[-1].pte is not None:
                lost = held & ~now.steps[-1].pte & (R | W | X | U)
            if now.pa is None or now.pa & ~(PAGE - 1) != frame or lost:
                found = _named(va, frame, now)
                if found:
                    yield found


def sentence(stale: Stale, insn: Callable[[int], str], place: Callable[[int], str]) -> str:
    """A use, for people: what, where, the entry, what changed it, what is missing."""
    edited = f", stored at {place(stale.edited)}" if stale.edited is not None else ""
    entry = (
        f"the entry at {stale.at:#010x} (level {stale.level}) is {stale.pte:#010x} now "
        f"({pte_text(stale.pte)}{edited})"
    )
    if stale.pc is None:
        return (
            f"missing sfence.vma? The TLB still holds {stale.va:#010x} as physical "
            f"{stale.frame:#010x}, but {entry}; `toyvmm run --check fence` tells each use"
        )
    return (
        f"missing sfence.vma: {insn(stale.pc)} uses a stale translation ({stale.access.value} at "
        f"{stale.va:#010x}, physical page {stale.frame:#010x}): {entry}; execute sfence.vma after "
        "the entry is changed and before it is used"
    )
