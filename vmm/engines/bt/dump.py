"""Answers for showing translated code: guest instructions beside what was made of them.

For people, of a machine that has stopped.  Must not change anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toyisa.memory import WORDS
from vmm.engines.bt.record import TAKEN, Count, Site
from vmm.engines.bt.window import WINDOW

if TYPE_CHECKING:
    from vmm.machine import VirtualMachine


@dataclass(frozen=True)
class Word:
    """A word of the cache: where, what, and for which guest pc; `note` says what it asks for."""

    address: int
    word: int
    gpc: int
    note: str


@dataclass(frozen=True)
class Unit:
    """A unit that is alive: its guest pc, how many guest instructions, its words."""

    gpc: int
    insns: int
    words: tuple[Word, ...]


_NOTES = {
    Site.EDGE: "to {gpc:#x}, not chained yet",
    Site.EMULATE: "callout: root emulates it",
    Site.COUNTDOWN: "callout: too long for what is left",
    Site.ACCESS: "callout: root does the access",
    Site.PREDICT: "callout: an indirect jump, for the first time",
}


def units(machine: "VirtualMachine") -> Iterator[Unit]:
    """The units of a machine under `bt`, in the order of their guest pcs."""
    bt = machine.private[0]
    alive = [n for n in range(int(bt.units)) if bt.u_alive[n]]
    for number in sorted(alive, key=lambda n: int(bt.u_gpc[n])):
        first = end = int(bt.u_first[number])
        while end < int(bt.used) and bt.unit[end] == number:
            end += 1
        words = tuple(_word(machine, word) for word in range(first, end))
        yield Unit(int(bt.u_gpc[number]), int(bt.u_insns[number]), words)


def _word(machine: "VirtualMachine", word: int) -> Word:
    bt = machine.private[0]
    ram = machine.real_ram.view("<u4")
    site, gpc = Site(int(bt.site[word])), int(bt.gpc[word])
    note = _NOTES.get(site, "").format(gpc=gpc)
    if site == Site.PLAIN and _is_edge(bt, word):
        note = f"to {gpc:#x}, chained"
    return Word(WINDOW + 4 * word, int(ram[int(bt.start) * WORDS + word]), gpc, note)


def _is_edge(bt, word: int) -> bool:
    return bool(bt.edge[word]) or int(bt.insn[word]) == TAKEN


def counters(machine: "VirtualMachine") -> dict[str, int]:
    """What the translator has counted, by name, and how full its cache is."""
    bt = machine.private[0]
    counted = {count.name.lower(): int(bt.count[count]) for count in Count}
    return {**counted, "code_bytes": 4 * int(bt.used), "code_pages": int(bt.pages)}
