"""Answers for translations that the TLB still holds though the tables have changed.

    fence `lw a0,0(t1)` at read+0x8: 0x40000000 is used as 0x80005000 ...

`sfence.vma` exists to prevent the use of one.  Must not know how the steps are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from toyisa.core.fences import edited
from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.core.sv32 import R, U, W, Why, X
from toyisa.look import inspect
from toyisa.look.effects import Effects
from toyisa.look.inspect import PAGED, M, Walk, pte_text
from toyisa.look.refusal import Access, refusal
from toyisa.machine import Machine
from toyisa.tables.bits import ASID, SATP_ASID_SHIFT
from vmm.diagnose.facts import Facts

GLOBAL = 1 << 29  # in a TLB key: valid in every address space
REMEMBERED = 1 << 16  # stores whose place is remembered


@dataclass(frozen=True)
class Stale:
    """A translation of `va` that is not in the tables any more.

    `frame` is the physical page that the TLB holds.  The entry at `at`, of `level`, is now
    `pte`.  `pc` used the translation (None: no use is known), and was the instruction `word`.
    `edited` is the pc of the store that changed the entry, if that was seen.
    """

    va: int
    frame: int
    at: int
    level: int
    pte: int
    pc: int | None = None
    access: Access = Access.LOAD
    edited: int | None = None
    word: int | None = None


class FenceCheck:
    """Watches steps, and gives `take` each use of a stale translation.

    A use is stale if the hart took a translation from its TLB for which the guest's tables,
    walked at this moment for the same access at the same level, have another frame or refuse
    the access.  An access that the monitor does for the guest walks the tables, so it never is.
    It sees all steps, or with `machine.fences` only those in which one may be used.
    """

    def __init__(self, machine: Machine, take: Callable[[Stale], None]):
        self.take = take
        self._stores: dict[int, int] = {}  # physical word -> pc

    def __call__(self, machine: Machine, effects: Effects, level: int) -> None:
        store = self._stored(machine, effects)
        if not machine.hart.csr.satp & PAGED or "satp" in effects.csrs:
            return
        uses = [(effects.pc, Access.FETCH)]
        uses += [(effects.load[0], Access.LOAD)] if effects.load else []
        uses += [(effects.store[0], Access.STORE)] if effects.store else []
        word = effects.insn
        for va, access in uses:
            found = _stale(machine, va, access, level)
            if found and found.at != store:
                if access is Access.FETCH:
                    word = inspect.word(machine, found.frame | va & (PAGE - 4))
                self.take(replace(found, pc=effects.pc, access=access, word=word,
                                  edited=self._edited(machine, found.at)))  # fmt: skip
            if found and access is Access.FETCH and word != effects.insn:
                return  # what was executed is not what the tables say

    def _edited(self, machine: Machine, at: int) -> int | None:
        return self._stores.get(at) if machine.fences is None else edited(machine.fences, at)

    def _stored(self, machine: Machine, effects: Effects) -> int | None:
        """Remember which instruction stored where; return the physical word of this step's
        store.
        """
        if not effects.store:
            return None
        va = effects.store[0]
        frame = _held(machine, va, Access.STORE)
        pa = inspect.walk(machine, va).pa if frame is None else frame | va & (PAGE - 1)
        if pa is None:
            return None
        if len(self._stores) >= REMEMBERED:
            self._stores.clear()
        self._stores[pa & ~3] = effects.pc
        return pa & ~3


def _held(machine: Machine, va: int, access: Access) -> int | None:
    """The physical page that the TLB holds for `va` in the current address space."""
    hart = machine.host.hart
    tlb = hart.tlb
    keys, ptes, mask = (
        (tlb.ikey, tlb.ipte, tlb.imask) if access is Access.FETCH else
        (tlb.dkey, tlb.dpte, tlb.dmask)
    )  # fmt: skip
    vpn = va >> 12
    asid = int(hart.csr.satp) >> SATP_ASID_SHIFT & ASID
    place = vpn & int(mask)
    if int(keys[place]) not in (vpn | asid << 20, vpn | GLOBAL):
        return None
    return _frame(machine, int(ptes[place]))


def _frame(machine: Machine, held: int) -> int | None:
    """The page in an entry of the TLB, which under a monitor has the machine's frames; None if
    it is not the guest's.
    """
    if not machine.virtual:
        return held >> 10 << 12 & M
    mfn = (held >> 10) - RAM_BASE // PAGE
    gfns = machine.host.frames["gfn"]
    gfn = int(gfns[mfn]) if 0 <= mfn < len(gfns) else -1
    return RAM_BASE + gfn * PAGE if gfn >= 0 else None


def _stale(machine: Machine, va: int, access: Access, level: int) -> Stale | None:
    """The translation that an access to `va` used, if the tables now refuse or change it."""
    frame = _held(machine, va, access)
    if frame is None:
        return None
    now = inspect.walk(machine, va)
    if now.pa is not None and now.pa & ~(PAGE - 1) == frame:
        refused = refusal(machine, va, access, level)
        # To clear A needs no fence: nothing is lost if a use is not seen
        if refused is None or refused.why is Why.NOT_ACCESSED:
            return None
    return _named(va, frame, now)


def _named(va: int, frame: int, now: Walk) -> Stale | None:
    if not now.steps or now.steps[-1].pte is None:
        return None
    step = now.steps[-1]
    return Stale(va, frame, step.at, step.level, step.pte)


def left(machine: Machine) -> Iterator[Stale]:
    """Translations in the TLB that differ from the tables: another frame, or fewer rights."""
    if not machine.hart.csr.satp & PAGED:
        return
    tlb, satp = machine.host.hart.tlb, int(machine.host.hart.csr.satp)
    for keys, ptes, mask in ((tlb.dkey, tlb.dpte, tlb.dmask), (tlb.ikey, tlb.ipte, tlb.imask)):
        asid = satp >> SATP_ASID_SHIFT & ASID
        places = np.arange(int(mask) + 1)
        kept = keys[places]
        ours = (kept >= 0) & ((kept & GLOBAL != 0) | (kept >> 20 == asid))
        for place in places[ours].tolist():
            va, held = (int(keys[place]) & 0xF_FFFF) << 12, int(ptes[place])
            now, frame = inspect.walk(machine, va), _frame(machine, held)
            if frame is None:
                continue
            lost = 0
            if now.pa is not None and now.steps[-1].pte is not None:
                lost = held & ~now.steps[-1].pte & (R | W | X | U)
                if machine.virtual and now.steps[-1].pte & X:
                    lost &= ~R  # the monitor may have set R, for MXR
            if now.pa is None or now.pa & ~(PAGE - 1) != frame or lost:
                found = _named(va, frame, now)
                if found:
                    yield found


def sentence(stale: Stale, facts: Facts) -> str:
    """A use, for people: what, where, the entry, what changed it, what is missing."""
    fence = "sfence.vma" if facts.machine.tables_are_guests else "the hypercall flush_page"
    by = f", stored at {facts.place(stale.edited)}" if stale.edited is not None else ""
    entry = (
        f"the entry at {stale.at:#010x} (level {stale.level}) is {stale.pte:#010x} now "
        f"({pte_text(stale.pte)}{by})"
    )
    if stale.pc is None:
        return (
            f"missing {fence}? The TLB still holds {stale.va:#010x} as physical "
            f"{stale.frame:#010x}, but {entry}; `--check fence` tells each use"
        )
    return (
        f"missing {fence}: {facts.insn(stale.pc, stale.word)} uses a stale translation "
        f"({stale.access.value} at {stale.va:#010x}, physical page {stale.frame:#010x}): {entry}; "
        f"execute {fence} after the entry is changed and before it is used"
    )
