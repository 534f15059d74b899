"""Answers for what an experiment is given, and what comes of it: figures and verdicts.

Must not know what is measured, nor how it is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toyisa.tables.cost import CostModel
from vmm.comparison.published import Figure
from vmm.hosting.host import Host

WARM_UP = 0.2  # of the time: guests boot, and schedulers come to know them
# They know neither weights nor who was woken, and are there to compare.
UNJUDGED = ("rr", "edf", "pinned")
CALIBRATED, EMERGENT = "calibrated", "emergent"


@dataclass(frozen=True)
class Way:
    """A scheduler with options of its own; `label` is its name in tables."""

    scheduler: str
    label: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.scheduler)


@dataclass(frozen=True)
class Setup:
    """On which machine, under which engine, and for how much virtual time."""

    ways: tuple[Way, ...]
    engine: str = "pv"
    cost: str | CostModel = "p4"
    seconds: float = 10.0
    tell: Callable[[str], None] = lambda _line: None  # is told what is being run

    def host(self, way: Way, mem: int = 64 << 20) -> Host:
        """A host with one hart and no domains."""
        return Host(mem, 1, way.scheduler, self.cost, options=dict(way.options))

    def run(self, host: Host, way: Way, what: str) -> None:
        """Run it for so many seconds of virtual time more; ValueError if a domain ends."""
        self.tell(f"{what} under {way.label}")
        host.run(until=host.now + host.ms(1000 * self.seconds))
        for made in host.domains.values():
            if made.over:
                why = made.output().decode(errors="replace").strip() or made.reason
                raise ValueError(f"domain {made.name!r} should run for ever, and has {made.state}"
                                 f" under {self.engine}: {why}")  # fmt: skip

    def warm_up(self, host: Host) -> None:
        """Run it for a while before anything is measured."""
        host.run(until=host.ms(1000 * WARM_UP * self.seconds))


@dataclass(frozen=True)
class Measured:
    """A figure: what it is (a line of the table), under which way (its column)."""

    what: str
    way: str
    value: float
    unit: str
    published: Figure | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether what is `required` holds; `row` is the number of a published ordering, if it is
    one; `values` are what it was decided by, in `unit`.
    """

    row: int | None
    name: str
    required: str
    holds: bool
    values: dict[str, float]
    unit: str
    source: str = ""
    kind: str = EMERGENT


@dataclass(frozen=True)
class Outcome:
    """What an experiment has found."""

    measured: list[Measured]
    verdicts: list[Verdict]


def choose(known: Sequence[Way], names: Sequence[str]) -> tuple[Way, ...]:
    """The ways of these schedulers; all, if no names are given.

    A scheduler that the experiment does not know is used with its own defaults.
    """
    if not names:
        return tuple(known)
    found: list[Way] = []
    for name in names:
        found += [way for way in known if way.scheduler == name] or [Way(name)]
    return tuple(found)
