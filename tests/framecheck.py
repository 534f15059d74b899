"""The living definition of frame kinds and counts: recomputed from the tables themselves.

In plain Python, from memory; only what nothing but the monitor can know is taken from
its books: the base, which frames are pinned, and as what.
"""

from collections import Counter

from toyisa.memory import RAM_BASE, WORDS
from vmm.frametypes import LEAVES, MANY, NONE, OPEN, ROOT, WRITABLE
from vmm.hypercalls import REGION

BASE_PPN = RAM_BASE >> 12
V, R, W, X, U, A, D = 1, 2, 4, 8, 16, 64, 128


def frame(pte: int) -> int:
    """The machine frame, from RAM's base, that an entry names."""
    return (pte >> 10) - BASE_PPN


def table(machine, mfn: int) -> list[int]:
    """The entries of the table in a machine frame."""
    return machine.real_ram.view("<u4")[mfn * WORDS : (mfn + 1) * WORDS].tolist()


def recount(machine) -> tuple[dict[int, int], Counter]:
    """Kind and uses of each of the domain's frames, by machine frame; AssertionError."""
    vm = machine.vm
    direct, owned = vm.direct, {int(m) for m in vm.p2m[: int(vm.frames)]}
    pinned = {m for m in owned if direct.pinned[m]}
    uses = Counter(pinned)
    uses[int(direct.root)] += 1
    kinds = {m: int(direct.kind[m]) for m in pinned}
    kinds[int(direct.root)] = ROOT
    places: dict[int, set[int]] = {}
    for root in [m for m, kind in kinds.items() if kind == ROOT]:
        entries = table(machine, root)
        assert entries[REGION] == (BASE_PPN + int(direct.region)) << 10 | V, "the window"
        for index, pte in enumerate(entries[:REGION]):
            if pte & V:
                assert not pte & (R | W | X | U | A | D), f"{pte:#x} in a root"
                assert frame(pte) in owned, f"{pte:#x} leads to a foreign table"
                assert kinds.setdefault(frame(pte), LEAVES) == LEAVES
                uses[frame(pte)] += 1
                places.setdefault(frame(pte), set()).add(index)
    for mfn in [m for m, kind in kinds.items() if kind == OPEN]:
        assert not any(table(machine, mfn)), "a table whose level is open is empty"
    tables = set(kinds)
    for mfn in [m for m, kind in kinds.items() if kind == LEAVES]:
        stands = places.get(mfn, set())
        assert direct.place[mfn] == MANY or stands <= {int(direct.place[mfn])}
        for pte in table(machine, mfn):
            if pte & V:
                assert pte & (R | X), f"{pte:#x} is no leaf"
                assert pte & (R | W) != W, f"{pte:#x} is reserved"
                assert frame(pte) in owned, f"{pte:#x} maps a foreign frame"
                if pte & W:
                    assert frame(pte) not in tables, f"{pte:#x} maps a table writable"
                    kinds[frame(pte)] = WRITABLE
                    uses[frame(pte)] += 1
    return kinds, uses


def check(machine) -> None:
    """The monitor's books are what the tables say, and the TLB lets no table be written."""
    vm, direct = machine.vm, machine.vm.direct
    kinds, uses = recount(machine)
    own = vm.p2m[: int(vm.frames)]
    for mfn, *booked in zip(own.tolist(), direct.kind[own].tolist(), direct.uses[own].tolist()):
        assert booked == [kinds.get(mfn, NONE), uses[mfn]], f"frame {mfn}"
    assert int(direct.uses.sum()) == sum(uses.values())  # no other frame is in the books
    tlb = machine.real_hart.tlb
    for pte in tlb.dpte[(tlb.dkey >= 0) & (tlb.dpte & W != 0)].tolist():
        assert kinds.get(frame(pte), NONE) < OPEN, f"the TLB may write table {frame(pte)}"
