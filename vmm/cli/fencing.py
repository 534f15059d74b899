"""Answers for `--check fence`: each use of a stale translation on stderr, and in the JSON.

Must not know what makes a translation stale (`vmm.diagnose.fences`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vmm.cli.files import tell
from vmm.cli.why import facts_of
from vmm.diagnose import fences
from vmm.diagnose.fences import FenceCheck, Stale

if TYPE_CHECKING:
    from vmm.cli.guest import Guest

TOLD = 100  # places that are reported, each once, since a guest may go on for ever


class Fencing:
    """A watcher of steps that reports each place which uses a stale translation.

    It is shown all steps, or only those in which one may be used.
    """

    def __init__(self, guest: Guest, machine: Any):
        self._facts = facts_of(guest, machine)
        self._check = FenceCheck(machine, self._take)
        self._seen: dict[tuple[int | None, int, str], list[Any]] = {}

    def __call__(self, machine: Any, effects: Any, level: int) -> None:
        self._check(machine, effects, level)

    def _take(self, stale: Stale) -> None:
        key = stale.pc, stale.at, stale.access.value
        if key in self._seen:
            self._seen[key][1] += 1
        elif len(self._seen) < TOLD:
            self._seen[key] = [stale, 1]
            tell(f"toyvmm: check: {fences.sentence(stale, self._facts)}")

    def document(self) -> list[dict[str, Any]]:
        """The uses for the JSON, one for each place and entry."""
        facts = self._facts
        return [
            {"pc": stale.pc, "symbol": facts.machine.symbolize(stale.pc),
             "line": facts.line(stale.pc), "access": stale.access.value, "address": stale.va,
             "frame": stale.frame, "entry": stale.at, "level": stale.level, "pte": stale.pte,
             "edited_at": stale.edited, "times": times}
            for stale, times in self._seen.values()
        ]  # fmt: skip
