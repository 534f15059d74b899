"""Answers for what a campaign has seen, and so for what it has never seen.

Instructions retired, traps by instruction, level and cause, exits by kind and cause. Must not
know what was run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toyisa.core import coverage
from toyisa.core.decodepool import fold_all
from toyisa.tables import causes
from toyisa.tables.causes import CODES, Exc, Irq
from toyisa.tables.insns import INSNS
from toyisa.tables.ops import MAX_OPS, ROW_OF_OP
from vmm.domain.exits import Kind

CAUSES = (
    *(causes.name(exc) for exc in Exc), *(causes.name(causes.INTERRUPT | irq) for irq in Irq),
)  # fmt: skip
NO_CAUSE = {Kind.TIMER, Kind.OTHER}  # kinds of exit that are not caused by a trap of the hart


@dataclass
class Seen:
    """Maps that machines mark, and that can be added."""

    traps: np.ndarray = field(default_factory=coverage.new_map)
    retired: np.ndarray = field(default_factory=lambda: np.zeros(MAX_OPS, np.uint8))
    exits: np.ndarray = field(default_factory=lambda: np.zeros((len(Kind), CODES), np.uint8))

    def watch(self, machine: Any) -> None:
        """From now on the machine marks its traps here."""
        coverage.attach(self.traps, machine.hart, machine.host.hart)
        machine.coverage = self.traps  # so that the map lives as long as the machine

    def note(self, machine: Any) -> None:
        """Add what a machine has counted, now that it has stopped."""
        if machine.virtual:
            self.exits |= machine.vm.stats.seen
        fold_all(machine.host.hart, machine.host.memory)
        for hart in (machine.hart, machine.host.hart):
            self.retired |= hart.counts.op != 0

    def add(self, other: "Seen") -> None:
        """Add everything that another has seen."""
        for name in ("traps", "retired", "exits"):
            getattr(self, name)[...] |= getattr(other, name)

    def names(self) -> dict[str, list[str]]:
        """What was seen, in names that are the same in other versions."""
        kinds = {
            kind.name.lower() if kind in NO_CAUSE else f"{kind.name.lower()} {causes.name(cause)}"
            for kind in Kind for cause in range(CODES) if self.exits[kind, cause]
        }  # fmt: skip
        return {
            "retired": sorted({ROW_OF_OP[op] for op in ROW_OF_OP if self.retired[op]}),
            "traps_to_s": _lines(coverage.traps(self.traps, coverage.BY_S)),
            "traps_to_root": _lines(coverage.traps(self.traps, coverage.TO_ROOT)),
            "exits": sorted(kinds),
        }


def _lines(found: Iterable[tuple[str, str, str]]) -> list[str]:
    return sorted(" ".join(trap) for trap in found)


def merged(a: dict[str, list[str]], b: dict[str, list[str]]) -> dict[str, list[str]]:
    """Two results of `names` as one."""
    return {key: sorted({*a.get(key, ()), *b.get(key, ())}) for key in (a | b)}


def never(names: dict[str, list[str]], *, virtual: bool) -> dict[str, list[str]]:
    """What exists and was not seen; kinds of exit only for a `virtual` machine."""
    taken = {line.split()[2] for key in ("traps_to_s", "traps_to_root") for line in names[key]}
    kinds = {line.split()[0] for line in names["exits"]}
    executed = {line.split()[0] for key in ("traps_to_s", "traps_to_root") for line in names[key]}
    executed |= set(names["retired"])
    return {
        "instructions": [row.name for row in INSNS if row.name not in executed],
        "causes": [cause for cause in CAUSES if cause not in taken],
        "exits": [k.name.lower() for k in Kind if k.name.lower() not in kinds] if virtual else [],
    }
