"""Answers for showing translated code: guest instructions beside their translations.

For people, on a machine that has stopped.  Must not change anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toyisa.core.memory import WORDS
from vmm.engines.bt.record import Count, Site

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine


@dataclass(frozen=True)
class Word:
    """A word of the cache: its place, the word, its guest pc; `note` says what it calls root
    for.
    """

    address: int
    word: int
    gpc: int
    note: str


@dataclass(frozen=True)
class Unit:
    """A live block: its guest pc, how many guest instructions, its words."""

    gpc: int
    insns: int
    words: tuple[Word, ...]


_NOTES = {
    Site.EDGE: "to {gpc:#x}, not chained yet",
    Site.EMULATE: "callout: root emulates it",
    Site.COUNTDOWN: "callout: too long for what is left",
    Site.ACCESS: "callout: root does the access",
    Site.PREDICT: "callout: an indirect jump to a target of which there is none here yet",
    Site.WIDEN: "callout: an indirect jump to a second target",
    Site.CROWDED: "callout: more targets than are compared with here",
    Site.MISS: "callout: a target that its bucket does not hold",
}


def units(machine: "VirtualMachine") -> Iterator[Unit]:
    """The blocks of a machine under `bt`, in the order of their guest pcs."""
    bt = machine.private[0]
    alive = [n for n in range(int(bt.units)) if bt.u_alive[n]]
    chained = {site: int(bt.u_gpc[unit]) for unit in alive for site in _sites(bt, unit)}
    for number in sorted(alive, key=lambda n: int(bt.u_gpc[n])):
        own, first = np.flatnonzero(bt.unit[: int(bt.used)] == number), int(bt.u_first[number])
        own = [*own[own >= first].tolist(), *own[own < first].tolist()]  # its stubs last
        words = tuple(_word(machine, word, chained.get(word)) for word in own)
        yield Unit(int(bt.u_gpc[number]), int(bt.u_insns[number]), words)


def _sites(bt: np.record, unit: int) -> Iterator[int]:
    """The words that jump to a block: its chained edges."""
    site = int(bt.u_sites[unit]) - 1
    while site >= 0:
        yield site
        site = int(bt.edge[site]) - 1


def _word(machine: "VirtualMachine", word: int, chained_to: int | None) -> Word:
    bt = machine.private[0]
    ram = machine.host.ram.view("<u4")
    gpc = int(bt.gpc[word])
    if chained_to is None:
        note = _NOTES.get(Site(int(bt.site[word])), "").format(gpc=gpc)
    else:
        note = f"to {chained_to:#x}, chained"
    return Word(int(bt["base"]) + 4 * word, int(ram[int(bt.start) * WORDS + word]), gpc, note)


def counters(machine: "VirtualMachine") -> dict[str, int]:
    """What the translator has counted, by name, and how full its cache is."""
    bt = machine.private[0]
    counted = {count.name.lower(): int(bt.count[count]) for count in Count}
    return {**counted, "code_bytes": 4 * int(bt.used), "code_pages": int(bt.pages)}
