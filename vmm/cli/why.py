"""Answers for what `run` and `boot` say of a guest that did not pass.

Must not know how it is found out (`vmm.diagnose`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vmm.cli.status import Status
from vmm.diagnose import fences, told
from vmm.diagnose.diagnosis import Diagnosis, diagnose
from vmm.diagnose.facts import Code, Facts
from vmm.diagnose.hot import Hot, hottest
from vmm.diagnose.traps import FETCH_FAULTS, taken
from vmm.diagnose.window import watch

if TYPE_CHECKING:
    from vmm.cli.guest import Guest
    from vmm.cli.session import Outcome
    from vmm.watch.laststeps import LastSteps

GOES_ON = ("budget", "cycles", "timeout", "interrupted")  # outcomes of a guest that could go on
FAR = 20_000_000  # instructions that are run again to see where a jump came from
AGAIN = 2.0  # seconds of host time to look for the use of a stale translation


@dataclass(frozen=True)
class Why:
    """A diagnosis, and the facts that it is drawn from."""

    facts: Facts
    found: Diagnosis

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.found.sentences

    def lines(self) -> list[str]:
        """What the guest was doing, for people; nothing if it ended by itself."""
        return list(told.lines(self.facts, self.found)) if self.facts.exit in GOES_ON else []

    def document(self) -> dict[str, Any]:
        return told.document(self.facts, self.found)


def counted(machine: Any, outcome: Outcome) -> list[Hot]:
    """The hottest code.  Call this before any figure is taken, since it folds the counts."""
    return [] if outcome.status is Status.PASSED else hottest(machine)


def look(
    guest: Guest, machine: Any, outcome: Outcome, hot: list[Hot], steps: LastSteps | None
) -> Why:
    """The diagnosis of a guest that did not pass; it may let the machine go on.

    So take all figures before.
    """
    facts = facts_of(guest, machine, outcome.exit)
    stale = _stale(machine, facts, steps)
    fault = facts.fault
    if steps and fault and fault.cause in FETCH_FAULTS:
        facts.came_from = steps.before(fault.since, FAR)
    if outcome.exit in GOES_ON:
        facts.window = watch(machine, guest.writes)
    return Why(facts, diagnose(facts, hot, stale))


def facts_of(guest: Guest, machine: Any, exit: str = "") -> Facts:
    """What is known of a guest without running it on."""
    code = Code.of(getattr(guest.what, "elf", None))
    return Facts(
        machine, exit, taken(machine.hart), machine.traps_by_cause(), code=code,
        where=guest.what.source_line,
    )  # fmt: skip


def _stale(machine: Any, facts: Facts, steps: LastSteps | None) -> fences.Stale | None:
    """The first use of a translation that `sfence.vma` should have made the TLB forget.

    The TLB shows only those that it still holds.  Whether they were used, only a second run
    can show.
    """
    if machine.fences is not None:  # each use was told
        return None
    left = next(fences.left(machine), None)
    if left is None:
        return None
    if steps is None:
        return left if facts.stopped_itself else None
    seen: list[fences.Stale] = []
    check = fences.FenceCheck(steps.machine, seen.append)

    def watcher(machine: Any, effects: Any, level: int) -> bool:
        check(machine, effects, level)
        return bool(seen)

    steps.again(watcher, time.perf_counter() + AGAIN)
    return seen[0] if seen else None
