"""Answers for which runs make up a comparison of nano-benchmarks, in which order.

Must not know how a run is measured, nor what is made of the rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vmm import engines
from vmm.comparison.measure import Row, measure
from vmm.comparison.spread import spread
from vmm.comparison.subjects import Setting, Subject, build_of, elf_of, nano

# Bt is also measured with these options (row 4 of the orderings)
FORCED = {"time_read": ("callout", "trap")}


@dataclass(frozen=True)
class Run:
    """One benchmark under one subject on one machine."""

    benchmark: str
    subject: Subject
    setting: Setting


def plan(names: Iterable[str], chosen: list[Subject], settings: list[Setting]) -> list[Run]:
    """All runs: by setting, benchmark, subject."""
    return [
        Run(name, subject, setting)
        for setting in settings for name in names for subject in _ways(name, chosen)
    ]  # fmt: skip


def _ways(name: str, chosen: list[Subject]) -> list[Subject]:
    ways = list(chosen)
    for subject in chosen:
        if subject.engine in engines.with_option("force"):
            ways += [replace(subject, force=force) for force in FORCED.get(name, ())]
    return ways


def perform(runs: list[Run], progress: Callable[[str], None], jobs: int = 1) -> list[Row]:
    """Measure all runs, in `jobs` processes; `progress` gets a line before or after each."""
    elves: dict[tuple[str, str], bytes] = {}
    known = nano()
    tasks = []
    for run in runs:
        key = run.benchmark, build_of(run.subject)
        if key not in elves:
            elves[key] = elf_of(known[run.benchmark].source, key[1])
        tasks.append((run.benchmark, elves[key], run.subject, run.setting))
    names = [f"nano/{run.benchmark} under {run.subject.label}" for run in runs]
    rows = []
    for run, found in zip(runs, spread(measure, tasks, names, jobs, progress), strict=True):
        # So that each has settings of its own
        rows += [replace(row, setting=run.setting) for row in found]
    return rows
