"""Answers for which runs a comparison of nano-benchmarks is made of, in which order.

Must not know how a run is measured, nor what is made of the rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vmm.comparison.measure import Row, measure
from vmm.comparison.subjects import Setting, Subject, build_of, elf_of, nano

FORCED = {"time_read": ("callout", "trap")}  # what bt is measured with besides, FIGURES' row 4


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
        if subject.engine == "bt":
            ways += [Subject("bt", subject.paging, force) for force in FORCED.get(name, ())]
    return ways


def perform(runs: list[Run], progress: Callable[[str], None]) -> list[Row]:
    """Measure them all; `progress` gets a line before each."""
    elves: dict[tuple[str, str], bytes] = {}
    known = nano()
    rows = []
    for n, run in enumerate(runs):
        progress(f"nano/{run.benchmark} under {run.subject.label}, {n + 1} of {len(runs)}")
        key = run.benchmark, build_of(run.subject)
        if key not in elves:
            elves[key] = elf_of(known[run.benchmark].source, key[1])
        rows += measure(run.benchmark, elves[key], run.subject, run.setting)
    return rows
