"""The living definition of the types and counts of frames: computed again from the tables.

It is plain Python and reads memory.  From the monitor's records it takes only what nothing
else can know: the current root table, which frames are pinned, and with which type.
"""

from collections import Counter
from typing import Any

import numpy as np

from toyisa.core.memory import PAGE, RAM_BASE, WORDS
from toyisa.tables.bits import BITS, SATP_PPN_MASK
from vmm.abi.hypercalls import REGION
from vmm.domain.frametypes import LEAVES, MANY, NONE, OPEN, ROOT, WRITABLE
from vmm.fuzz.case import Violation

BASE_PPN = RAM_BASE >> 12
V, R, W, X, U, A, D = (BITS[f"PTE_{bit}"] for bit in "VRWXUAD")


def frame(pte: int) -> int:
    """The machine frame, counted from RAM's base, that an entry names."""
    return (pte >> 10) - BASE_PPN


def table(machine: Any, mfn: int) -> list[int]:
    """The entries of the table in a machine frame."""
    return machine.host.ram.view("<u4")[mfn * WORDS : (mfn + 1) * WORDS].tolist()


def _must(holds: bool, expected: str, actual: str) -> None:
    if not holds:
        raise Violation(expected, actual)


def recount(machine: Any) -> tuple[dict[int, int], Counter]:
    """Type and uses of each of the domain's frames, by machine frame; Violation."""
    vm = machine.vm
    direct, owned = vm.direct, set(machine.pages["mfn"][: int(vm.frames)].tolist())
    pinned = {m for m in owned if machine.host.frames["pinned"][m]}
    uses = Counter(pinned)
    uses[int(direct.root)] += 1
    kinds = {m: int(machine.host.frames["kind"][m]) for m in pinned}
    kinds[int(direct.root)] = ROOT
    places: dict[int, set[int]] = {}
    for root in [m for m, kind in kinds.items() if kind == ROOT]:
        entries = table(machine, root)
        window = (BASE_PPN + int(direct.region)) << 10 | V
        _must(entries[REGION] == window, "the window in each root", f"{entries[REGION]:#x}")
        for index, pte in enumerate(entries[:REGION]):
            if pte & V:
                _must(not pte & (R | W | X | U | A | D), "pointers in a root", f"{pte:#x}")
                _must(frame(pte) in owned, "no foreign table", f"{pte:#x} in a root")
                kind = kinds.setdefault(frame(pte), LEAVES)
                _must(kind == LEAVES, "pointers to tables of leaves", f"{pte:#x} in a root")
                uses[frame(pte)] += 1
                places.setdefault(frame(pte), set()).add(index)
    for mfn in [m for m, kind in kinds.items() if kind == OPEN]:
        _must(not any(table(machine, mfn)), "zeros where the level is open", f"frame {mfn}")
    tables = set(kinds)
    for mfn in [m for m, kind in kinds.items() if kind == LEAVES]:
        place, stands = int(machine.host.frames["place"][mfn]), places.get(mfn, set())
        _must(place == MANY or stands <= {place}, f"table {mfn} at {stands}", f"at {place}")
        for pte in table(machine, mfn):
            if pte & V:
                _must(pte & (R | X) != 0, "leaves", f"{pte:#x}")
                _must(pte & (R | W) != W, "nothing that is reserved", f"{pte:#x}")
                _must(frame(pte) in owned, "no foreign frame", f"{pte:#x} maps one")
                if pte & W:
                    _must(frame(pte) not in tables, "no table writable", f"{pte:#x} maps one")
                    kinds[frame(pte)] = WRITABLE
                    uses[frame(pte)] += 1
    return kinds, uses


def check(machine: Any) -> None:
    """Violation if the records differ from the tables, or the TLB lets a table be written."""
    kinds, uses = recount(machine)
    own = machine.pages["mfn"][: int(machine.vm.frames)]
    known = machine.host.frames[own]
    for mfn, *booked in zip(own.tolist(), known["kind"].tolist(), known["uses"].tolist()):
        counted = [kinds.get(mfn, NONE), uses[mfn]]
        _must(booked == counted, f"frame {mfn}: kind, uses {counted}", f"{booked}")
    booked, counted = int(machine.host.frames["uses"].sum()), sum(uses.values())
    _must(booked == counted, f"{counted} uses, of the domain's frames", f"{booked}")
    tlb = machine.host.hart.tlb
    for pte in tlb.dpte[(tlb.dkey >= 0) & (tlb.dpte & W != 0)].tolist():
        kind = kinds.get(frame(pte), NONE)
        _must(kind < OPEN, "no table writable by the TLB", f"table {frame(pte)}")


# -- where the hart itself can get ------------------------------------------


def window(machine: Any) -> slice:
    """The machine frames of the monitor's window."""
    own = int(machine.vm.own)
    return slice(own, own + machine.engine.frames)


def strays(machine: Any) -> list[str]:
    """Valid entries, in the tables that the hart walks or in its TLB, that lead to foreign
    frames.

    The records are not used: entry 1023 must lead to the window and not be for U, any other
    entry to frames of the domain.
    """
    hart, m2p = machine.host.hart, machine.host.frames["gfn"]
    frames, mine = len(machine.host.ram) // PAGE, window(machine)
    found = []

    def owned(mfn: int) -> bool:
        return 0 <= mfn < frames and m2p[mfn] >= 0

    def windows(mfn: int) -> bool:
        return mine.start <= mfn < mine.stop

    root = (int(hart.csr.satp) & SATP_PPN_MASK) - BASE_PPN
    if not owned(root):
        return [f"satp = {int(hart.csr.satp):#x}"]
    for index, pointer in enumerate(table(machine, root)):
        right = windows if index == REGION else owned
        if not pointer & V:
            continue
        if pointer & (R | W | X) or not right(frame(pointer)):
            found.append(f"root[{index}] = {pointer:#x}")
            continue
        for n, pte in enumerate(table(machine, frame(pointer))):
            if pte & V and (not right(frame(pte)) or (pte & U and index == REGION)):
                found.append(f"root[{index}][{n}] = {pte:#x}")
    for keys, entries in ((hart.tlb.dkey, hart.tlb.dpte), (hart.tlb.ikey, hart.tlb.ipte)):
        cached = np.unique(entries[(keys >= 0) & (entries & V != 0)]).tolist()
        found += [f"{pte:#x} in the TLB" for pte in cached
                  if not owned(frame(pte)) and not windows(frame(pte))]  # fmt: skip
    return found[:4]
