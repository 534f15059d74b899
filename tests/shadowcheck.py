"""Whether the monitor's shadow structures are what they should be, computed from nothing.

Plain Python, from the guest's own tables: the naive twin of `vmm/paging/shadow`.  For a
machine that has stopped.  Must not know how the structures came about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from toyisa.core.contexts import KEY_PAGED
from toyisa.core.state import CONTEXTS
from toyisa.core.sv32 import A, D, G, R, U, V, W, X
from toyisa.tables.bits import ASID
from vmm.domain.asids import GIVEN_BACK, TAKEN
from vmm.domain.record import ENTRIES, FREE, ROOT, SPLIT, TABLE, VIEWS

PAGE = 4096
BASE_PPN = 0x80000
DIRECT = 0
FLAGS = V | R | W | X | U | A | D


class Look:
    """A stopped virtual machine, in plain ints."""

    def __init__(self, machine: Any) -> None:
        self.vm, self.shadow = machine.vm, machine.vm.shadow
        self.host, self.hart = machine.host.record[0], machine.host.hart
        self.words = machine.host.ram.view(np.uint32)
        self.frames = int(self.vm.frames)
        self.pages = machine.pages[: self.frames]
        self.heads, self.links = machine.host.frames["head"], machine.links
        self.p2m = self.pages["mfn"].tolist()
        self.m2p = {mfn: gfn for gfn, mfn in enumerate(self.p2m) if mfn >= 0}
        self.base, self.size = int(self.shadow.start), int(self.shadow["frames"])
        self.region = int(self.shadow.region)
        self.pool = range(self.base, self.base + self.size)
        self.own = range(int(self.vm.own), int(self.vm.own) + machine.engine.frames)

    def entries(self, frame: int) -> list[int]:
        """The words of a shadow frame."""
        at = (self.base + frame) * ENTRIES
        return self.words[at : at + ENTRIES].tolist()

    def guest_word(self, gfn: int, index: int) -> int:
        return int(self.words[self.p2m[gfn] * ENTRIES + index])

    def gfn(self, ppn: int) -> int:
        """The guest frame of a guest-physical page number, or -1."""
        gfn = ppn - BASE_PPN
        return gfn if 0 <= gfn < self.frames and self.p2m[gfn] >= 0 else -1

    def traced(self, gfn: int) -> bool:
        page = self.pages[gfn]
        tables = page["as_root"].any() or page["as_table"].any()
        return bool(tables) or gfn == int(self.vm.tohost) or bool(page["code"])

    def asids(self) -> dict[int, int]:
        """The ASIDs of shadow frames that have one."""
        tags = [divmod(n, ASID + 1) for n in self.shadow.space[: self.size].tolist()]
        now = int(self.host.asids.generation)
        return {n: number for n, (since, number) in enumerate(tags) if number and since == now}

    def used(self) -> Iterator[int]:
        return (n for n in range(self.size) if int(self.shadow.role[n]) != FREE)


def faults(machine: Any) -> list[str]:
    """What is wrong with the shadow structures: a line for each fault."""
    look = Look(machine)
    found = [*_lookups(look), *_chains(look)]
    for frame in look.used():
        if look.shadow.role[frame] == ROOT:
            found += _root(look, frame)
        else:
            found += _leaves(look, frame)
    found += _spaces(look)
    found += _tlb(look)
    return found


def _lookups(look: Look) -> Iterator[str]:
    """`as_root`, `as_table` and `special` say the same as `role`, `aspect` and `key`."""
    shadow = look.shadow
    by_role = {ROOT: {}, TABLE: {}}
    special = {}
    for frame in look.used():
        role, view, key = (int(shadow[f][frame]) for f in ("role", "aspect", "key"))
        if role == SPLIT:
            continue
        if role == ROOT and key < 0:
            special[view, -1 - key] = frame + 1
        elif (view, key) in by_role[role]:
            yield f"frames {by_role[role][view, key] - 1} and {frame} shadow the same"
        else:
            by_role[role][view, key] = frame + 1
    for name, role in (("as_root", ROOT), ("as_table", TABLE)):
        table = look.pages[name]
        places = {(int(v), int(k)): int(table[k, v]) for k, v in zip(*table.nonzero())}
        if places != by_role[role]:
            yield f"{name} is {places}, the frames say {by_role[role]}"
    for view in range(VIEWS):
        for n in range(3):
            if int(shadow.special[view, n]) != special.get((view, n), 0):
                yield f"special root {view}, {n} is {int(shadow.special[view, n]) - 1}"
    root = int(shadow.root)
    if root >= 0 and int(shadow.role[root]) != ROOT:
        yield f"the current root {root} is no root"


def _chains(look: Look) -> Iterator[str]:
    """`head`, `next`, `prev` hold each valid entry once, at the frame to which it points."""
    want = defaultdict(set)
    for frame in look.used():
        for index, pte in enumerate(look.entries(frame)):
            if pte & V:
                want[(pte >> 10) - BASE_PPN].add(frame * ENTRIES + index)
            elif pte:
                yield f"entry {index} of frame {frame} is {pte:#x}: neither valid nor zero"
    others = {*range(len(look.heads))} - {*look.m2p, *look.own, *look.pool}
    heads = {int(n) for n in look.heads.nonzero()[0]} - others  # a machine may have more guests
    for mfn in heads | set(want):
        have, before, place = set(), 0, int(look.heads[mfn])
        while place and place - 1 not in have:
            if int(look.links["prev"][place - 1]) != before:
                yield f"place {place - 1} does not lead back to {before - 1}"
            have.add(place - 1)
            before, place = place, int(look.links["next"][place - 1])
        if place:
            yield f"the chain of machine frame {mfn} has no end"
        if have != want[mfn]:
            yield f"the chain of machine frame {mfn} is {have}, the entries say {want[mfn]}"


def _root(look: Look, frame: int) -> Iterator[str]:
    """The entries of a shadow root table point to shadow tables of what the guest's root table
    says.
    """
    shadow, key = look.shadow, int(look.shadow.key[frame])
    for index, pte in enumerate(look.entries(frame)):
        if not pte & V:
            continue
        where = f"entry {index} of root {frame}"
        if index == int(shadow.slot) and shadow.aspect[frame] != DIRECT and look.region:
            if pte != (BASE_PPN + look.region) << 10 | V:
                yield f"{where} is {pte:#x}, not the monitor's window"
            continue
        below = (pte >> 10) - BASE_PPN - look.base
        if not 0 <= below < look.size or pte & (FLAGS | G) != V:
            yield f"{where} is {pte:#x}: no pointer to a shadow table"
            continue
        if shadow.aspect[below] != shadow.aspect[frame]:
            yield f"{where} leads to a table of another view"
        guest = look.guest_word(key, index) if key >= 0 else _identity(key, index)
        role, below_key = int(shadow.role[below]), int(shadow.key[below])
        if role == TABLE:
            right = guest & (FLAGS & ~W) == V and look.gfn(guest >> 10) == below_key
        else:
            # The monitor may not know yet that D was set: then the entry lets no store through.
            same = (guest ^ below_key) & (~0x3FF | FLAGS & ~D) == 0
            right = role == SPLIT and guest & A and same and guest & D >= below_key & D
        if not right:
            yield f"{where} leads to {role}:{below_key:#x}, the guest has {guest:#x}"


def _identity(key: int, index: int) -> int:
    """The superpage entry that stands for paging off; none for the root of nothing."""
    if key == -3:
        return 0
    return index << 20 | V | R | W | X | A | D | (U if key == -1 else 0)


def _leaves(look: Look, frame: int) -> Iterator[str]:
    """The entries of a shadow table map frames of the guest, with no right that its tables deny."""
    shadow = look.shadow
    role, view, key = (int(shadow[f][frame]) for f in ("role", "aspect", "key"))
    for index, pte in enumerate(look.entries(frame)):
        if not pte & V:
            continue
        where = f"entry {index} of {role}:{key:#x} (frame {frame})"
        gfn = look.m2p.get((pte >> 10) - BASE_PPN)
        if gfn is None:
            yield f"{where} maps machine frame {(pte >> 10) - BASE_PPN}, not the guest's"
            continue
        guest = look.guest_word(key, index) if role == TABLE else key + (index << 10)
        if not guest & V or not guest & A or look.gfn(guest >> 10) != gfn:
            yield f"{where} maps guest frame {gfn}, the guest has {guest:#x}"
        rights = guest & (R | W | X | U)
        if view != DIRECT:
            rights = rights & ~X | (R if rights & X else 0)
        if pte & (R | W | X) & ~rights or (pte ^ guest) & U or pte & G:
            yield f"{where} grants {pte:#x} where the guest has {guest:#x}"
        if pte & W and (not guest & D or look.traced(gfn)):
            yield f"{where} lets stores through that must be seen"
        if pte & (A | D) != A | D:
            yield f"{where} has A or D to be set"


def _spaces(look: Look) -> Iterator[str]:
    """Root tables have ASIDs of their own, and only root tables have one."""
    asids = look.host.asids
    seen: dict[int, int] = {}
    for frame, number in look.asids().items():
        if int(look.shadow.role[frame]) != ROOT:
            yield f"frame {frame}, no root table, has ASID {number}"
        if int(asids.state[number]) != TAKEN:
            yield f"frame {frame} has ASID {number}, which is free"
        if number in seen:
            yield f"frames {seen[number]} and {frame} have ASID {number}"
        seen[number] = frame
    returned = (asids.state == GIVEN_BACK).sum()
    if returned != asids.returned:
        yield f"{returned} ASIDs are given back, the count says {int(asids.returned)}"


def _tlb(look: Look) -> Iterator[str]:
    """What the real TLB holds for the data of current root tables must never let a traced store
    pass.  A tag that is not of a space of this guest cannot match: of another guest's, say.
    """
    if look.shadow.stale:  # it is flushed before the guest runs again
        return
    tlb = look.hart.tlb
    spaces = set(look.asids().values())
    for e in range(int(tlb.dmask) + 1):
        if int(tlb.wtag[e]) < 0:
            continue
        context = int(tlb.contexts.key[int(tlb.wtag[e]) >> 32 & CONTEXTS - 1])
        if not context & KEY_PAGED or context & ASID not in spaces:
            continue
        mfn = int(tlb.frame_at[e]) // PAGE
        gfn = look.m2p.get(mfn)
        if gfn is None and mfn not in look.own:
            yield f"the TLB lets stores into machine frame {mfn}"
        elif gfn is not None and look.traced(gfn):
            yield f"the TLB lets stores into the traced guest frame {gfn}"
