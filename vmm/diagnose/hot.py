"""Answers for where a guest spent its instructions, from the counts of the decode pool.

The counts begin when they were last folded into the hart's own, at a snapshot, or at the
start. Must not know why a guest was there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toyisa.core.memory import NO_FRAME, PAGE, RAM_BASE, WORDS
from toyisa.core.runcounts import counted
from toyisa.core.sv32 import R, V, X
from toyisa.look import inspect
from toyisa.tables.bits import PAGE_SHIFT, SATP_PPN_MASK

TABLES = 1024  # second-level tables that are searched for a page


@dataclass(frozen=True)
class Hot:
    """Instructions in a row that ran equally often; `pc` is None for the monitor's code.

    `physical`: the current tables do not map the address.
    """

    pc: int
    count: int      # instructions in the row
    times: int      # how often each ran
    share: float    # of all counted instructions
    physical: bool = False


def hottest(machine, most: int = 5) -> list[Hot]:
    """The rows with most instructions, the hottest first; none if most code is the monitor's."""
    pages = _pages(machine)
    total = sum(int(counts.sum()) for counts in pages.values())
    guest = {frame: counts for frame, counts in pages.items() if frame >= 0}
    if not total or 2 * sum(int(counts.sum()) for counts in guest.values()) < total:
        return []
    rows = [row for frame, counts in guest.items() for row in _rows(frame, counts)]
    rows.sort(key=lambda row: -row[1] * row[2])
    names = _virtual(machine, {row[0] & ~(PAGE - 1) for row in rows[:most]})
    found = []
    for pa, count, times in rows[:most]:
        page = names.get(pa & ~(PAGE - 1))
        pc = pa if page is None else page | pa & (PAGE - 1)
        found.append(Hot(pc, count, times, count * times / total, page is None))
    return [row for row in found if row.share >= 0.01]


def _pages(machine) -> dict[int, np.ndarray]:
    """By guest frame, how often each of its words ran; the monitor's together under -1."""
    pool = machine.host.pool
    pages: dict[int, np.ndarray] = {}
    for slot in range(int(pool.slots)):
        frame = int(pool.owner[slot])
        if frame == NO_FRAME:
            continue
        counts = counted(pool, slot)
        if machine.virtual:
            frame = int(machine.host.frames["gfn"][frame])
        if frame < 0:
            pages[-1] = pages.get(-1, 0) + counts
        else:
            pages[frame] = counts
    return pages


def _rows(frame: int, counts: np.ndarray) -> list[tuple[int, int, int]]:
    """Words in a row that ran equally often: physical address, number of words, how often."""
    ends = np.flatnonzero(np.diff(counts)) + 1
    starts = np.concatenate(([0], ends))
    ends = np.concatenate((ends, [WORDS]))
    return [
        (RAM_BASE + frame * PAGE + 4 * int(a), int(b - a), int(counts[a]))
        for a, b in zip(starts, ends) if counts[a]
    ]  # fmt: skip


def _virtual(machine, pages: set[int]) -> dict[int, int]:
    """For each physical page a virtual page at which the current tables let it be executed."""
    found = {page: page for page in pages if inspect.walk(machine, page).pa == page}
    satp = int(machine.hart.csr.satp)
    if not satp & inspect.PAGED or len(found) == len(pages):
        return found
    root, searched = (satp & SATP_PPN_MASK) << PAGE_SHIFT, 0
    for index, pte in enumerate(_entries(machine, root)):
        if not pte & V or searched >= TABLES:
            continue
        if pte & (R | X):
            for page in pages - set(found):
                if pte & X and page >> 22 == pte >> 20:
                    found[page] = index << 22 | page & 0x3F_F000
            continue
        searched += 1
        for low, leaf in enumerate(_entries(machine, pte >> 10 << 12)):
            page = leaf >> 10 << 12
            if leaf & V and leaf & X and page in pages:
                found.setdefault(page, index << 22 | low << 12)
    return found


def _entries(machine, table: int) -> list[int]:
    """The entries of a table, in the guest's own frame numbers."""
    data = inspect.read_physical(machine, table, PAGE)
    words = np.frombuffer(data[: len(data) & ~3], "<u4").tolist()
    return [machine.entry_seen(word) if word & V else 0 for word in words]
