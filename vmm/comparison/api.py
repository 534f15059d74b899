"""Answers for a comparison as a library call: `vmm.compare`, and its result.

Must not know the command line.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import guests
from asm.errors import AsmErrors
from toyisa.load.image import load
from toyisa.look.notebook import html_table
from toyisa.tables import cost as costs
from toyisa.tables.levels import Profile
from vmm import engines as known_engines
from vmm.comparison import report, tables, wholereport
from vmm.comparison.measure import Row
from vmm.comparison.plan import perform, plan
from vmm.comparison.subjects import (
    NANO,
    NATIVE,
    Setting,
    Subject,
    build_of,
    elf_of,
    nano,
    subjects,
)
from vmm.comparison.whole import Guest, LeftOut, Whole, run_whole, try_whole
from vmm.text import Table

EVERY = NANO.rstrip("/")  # the name that means all nano-benchmarks


@dataclass(frozen=True)
class Comparison:
    """What `compare` found: `rows` of nano-benchmarks, or `runs` of one guest as a whole.

    `left_out` says which engines could not run the guest, and why.  `print` shows what the
    command shows; a notebook shows the table.
    """

    rows: list[Row]
    runs: list[Whole]
    seconds: float
    left_out: list[LeftOut]

    @property
    def right(self) -> bool:
        """Whether the guest did what it should under every engine."""
        return not any(one.wrong for one in (*self.rows, *self.runs))

    def document(self, sensitivity: bool = False) -> dict[str, Any]:
        """Everything as plain values, as `--json` prints it: docs/json.md."""
        if self.runs:
            return wholereport.document(self.runs, self.seconds, self.left_out)
        return report.document(self.rows, sensitivity, self.seconds)

    def lines(self, markdown: bool = False, breakdown: bool = False) -> list[str]:
        """Everything as text, as the command prints it."""
        if self.runs:
            return wholereport.lines(self.runs, markdown, breakdown, self.left_out)
        return report.lines(self.rows, markdown, breakdown, False)

    def table(self) -> Table:
        """Only the costs: a line for each benchmark and a column for each engine, or the terms
        of a run.
        """
        if self.runs:
            return wholereport.table(self.runs, True)
        return tables.costs(self.rows)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return html_table(self.table())


def compare(
    guest: str | Path = EVERY,
    engines: Sequence[str] | None = None,
    *,
    paging: Sequence[str] = (),
    profile: str | Profile = Profile.STRICT,
    cost: str | costs.CostModel = "p4",
    script: bytes | None = None,
    progress: Callable[[str], None] = lambda _line: None,
) -> Comparison:
    """Measure what operations, or a whole guest, cost under each engine.

    `guest` is "nano" for all nano-benchmarks, or "nano/NAME" for one.  Any other guest is an
    example or a file, a source or an ELF; it is run from power-on to power-off, with `script`
    typed. `engines` are all engines unless they are named.  An engine that needs a patched
    guest, and gets another, is left out.  `progress` is called with a line before each run.
    Raises ValueError for an unknown name, AsmErrors for a source, ImageError for a file.
    """
    began = time.perf_counter()
    level = profile if isinstance(profile, Profile) else _profile(profile)
    model = cost if isinstance(cost, costs.CostModel) else costs.load(cost)
    setting = Setting(level, model)
    chosen = subjects(tuple(engines or _engines()), tuple(paging))
    rows, runs, left_out = [], [], []
    if str(guest) == EVERY or str(guest).startswith(NANO):
        rows = perform(plan(_benchmarks(str(guest)), chosen, [setting]), progress)
    else:
        runs, left_out = _whole(guest, chosen, setting, script, progress)
    return Comparison(rows, runs, time.perf_counter() - began, left_out)


def _engines() -> tuple[str, ...]:
    return (NATIVE, *known_engines.names())


def _profile(name: str) -> Profile:
    known = {level.name.lower().replace("_", "-"): level for level in Profile}
    if name not in known:
        raise ValueError(f"no profile is called {name!r}; there are {', '.join(known)}")
    return known[name]


def _benchmarks(name: str) -> list[str]:
    known, short = nano(), name.removeprefix(EVERY).removeprefix("/")
    if short and short not in known:
        raise ValueError(f"no benchmark is called {name!r}; there are {', '.join(known)}")
    return [short] if short else list(known)


def _whole(guest: str | Path, chosen: list[Subject], setting: Setting, script: bytes | None,
           progress: Callable[[str], None]) -> tuple[list[Whole], list[LeftOut]]:  # fmt: skip
    known = guests.catalogue().get(str(guest))
    source = known.source if known else Path(guest)
    if script is None:
        script = known.input.read_bytes() if known and known.input else b""
    runs: list[Whole] = []
    left_out: list[LeftOut] = []
    for n, subject in enumerate(chosen):
        progress(f"{guest} under {subject.label}, {n + 1} of {len(chosen)}")
        got = _run(str(guest), source, script, subject, setting)
        (left_out if isinstance(got, LeftOut) else runs).append(got)
    if not runs:
        raise ValueError(f"{guest} under {left_out[0].subject.label}: {left_out[0].why}")
    return runs, left_out


def _run(name: str, source: Path, script: bytes, subject: Subject,
         setting: Setting) -> Whole | LeftOut:  # fmt: skip
    """A run of the guest as it is built for the engine; an engine is left out only if it needs a
    patch.
    """
    build = build_of(subject)
    run = try_whole if build else run_whole
    try:
        elf = elf_of(source, build) if source.suffix.lower() == ".s" else load(source)
    except AsmErrors:
        if not build:
            raise
        return LeftOut(subject, f"built for {subject.engine}, its source has errors")
    return run(Guest(name, elf, script), subject, setting)
