"""Answers for the guests that load a host: how they are built, and what they have counted.

Their sources are `guests/kernels/hog.S busy.S probe.S thief.S storm.S`.  Must not know what
is made of the counts.
"""

from dataclasses import dataclass
from typing import Any

import guests
from asm import kept
from toyisa.files import place
from toyisa.load.fdt import TIMEBASE
from toyisa.machine import Machine
from vmm import engines

BINS = 33
US = TIMEBASE // 1_000_000  # ticks of a microsecond


@dataclass(frozen=True)
class Lateness:
    """How late `probe` or `busy` ran after its timer was due: `total` and `most` in microseconds.

    `bins[n]` counts those that were late by less than 2**n ticks of `time`, and by at least
    half of that.
    """

    count: int
    total: float
    most: float
    bins: tuple[int, ...]

    @property
    def mean(self) -> float:
        """0 if there were none."""
        return self.total / max(self.count, 1)

    def since(self, before: "Lateness") -> "Lateness":
        """What came after an earlier one of the same guest.

        If the largest of all came before, `most` is the upper edge of the last bin.
        """
        bins = tuple(now - then for now, then in zip(self.bins, before.bins, strict=True))
        edge = max((2**n / US for n, count in enumerate(bins) if count), default=0.0)
        most = self.most if self.most > before.most else min(edge, self.most)
        return Lateness(self.count - before.count, self.total - before.total, most, bins)


def image(name: str, engine: str, **defines: int) -> bytes:
    """The ELF of a guest of the catalogue, built for the engine; `defines` are constants."""
    source = guests.catalogue()[name].source
    build = guests.BUILDS[engines.find(engine).build]
    dirs = guests.include_dirs(source)
    return kept.program(place.programs(), source, dirs, {**build, **defines}).elf


def word(made: Machine, symbol: str, index: int = 0) -> int:
    """A word of the guest's memory: a symbol's, or of an array that begins there; KeyError."""
    address = {name: at for at, name in made.symbols}[symbol]
    return int.from_bytes(made.bus.dma.read(address + 4 * index, 4), "little")


def rounds(made: Machine) -> int:
    """The work that the guest has done."""
    return word(made, "rounds")


def lateness(made: Machine) -> Lateness:
    """What `probe` or `busy` has measured."""
    total = word(made, "late_sum") + (word(made, "late_sum", 1) << 32)
    bins = tuple(word(made, "late_bins", n) for n in range(BINS))
    return Lateness(word(made, "late_count"), total / US, word(made, "late_worst") / US, bins)


def add(host: Any, name: str, guest: str, engine: str, *, defines: dict[str, int] | None = None,
        **given: Any) -> Any:  # fmt: skip
    """A small domain with such a guest; `given` are further arguments of `Host.domain`."""
    elf = image(guest, engine, **(defines or {}))
    return host.domain(name, elf, engine=engine, mem=1 << 20, **given)
