"""`toyvmm compare`: what operations, or a whole guest, cost under each engine."""

from __future__ import annotations

import difflib
import json
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toyisa.files import progress
from vmm.cli import engine, options
from vmm.cli.completion import targets
from vmm.cli.files import Refusal, commit, need_stdout, outputs, read, tell, write
from vmm.cli.guest import find_target, prices
from vmm.cli.images import refuse_unfit
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.cli.target import Target
    from vmm.comparison.subjects import Setting, Subject

NANO = "nano"
MEM = 16 << 20  # bytes of RAM of a machine that runs a whole guest


@dataclass(frozen=True)
class Shape:
    """How a comparison is shown."""

    breakdown: bool
    as_json: bool
    as_csv: bool
    markdown: bool


class Names(click.ParamType):
    """Names with commas between them, each once."""

    name = "name,..."

    def convert(self, value, param, ctx) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        found = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        if not found:
            self.fail("names none", param, ctx)
        return found


@click.command()
@click.argument("guest", metavar="[GUEST|nano|nano/NAME]", default=NANO,
                shell_complete=targets)
@click.option("--engines", type=Names(), metavar="NAME,...",
              help="Which engines. [default: all, with the bare machine (native) first]")
@click.option("--paging", type=Names(), metavar="NAME,...", default=(),
              help="Which ways to translate addresses, for engines that have several.")
@options.profile
@click.option("--cost", type=Names(), default="p4", show_default=True, metavar="NAME|FILE,...",
              help="What things cost: presets (p4, core2, modern) or FILE.toml[:NAME].")
@click.option("--sensitivity", is_flag=True,
              help="Halve and double each price, and list which verdicts that changes.")
@click.option("--breakdown", is_flag=True, help="Show where the cycles go.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, one line for "
                                                    "each run.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True,
              help="How many processes.")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw the ratios to native as an SVG picture in FILE.")
def compare(guest: str, engines: tuple[str, ...] | None, paging: tuple[str, ...], profile: str,
            cost: tuple[str, ...], sensitivity: bool, breakdown: bool, as_json: bool,
            as_csv: bool, markdown: bool, jobs: int, svg: Path | None) -> int:
    """Compare what things cost under different engines.

    `nano`, the default, runs the nano-benchmarks. It prints the cycles of each operation, their
    ratio to the bare machine's, the published figures, and a verdict on each published ordering.
    `nano/NAME` runs one benchmark. Any other guest is run as a whole; an example gets the
    console input of its script. An engine that cannot run the guest is left out, and the report
    says why.

    The exit code is 1 if a guest does not run right, as under `trap` on a leaky machine.
    """
    need_stdout()
    if as_json + as_csv + markdown > 1:
        raise click.UsageError("choose one of --json, --csv and --markdown")
    whole = guest != NANO and not guest.startswith(f"{NANO}/")
    if whole and (sensitivity or svg):
        raise click.UsageError("--sensitivity and --svg are for nano-benchmarks only")
    began = time.perf_counter()
    _refuse_early(guest, engines, cost, svg)
    subjects, settings = _subjects(engines, paging), _settings(profile, cost)
    if whole:
        shape = Shape(breakdown, as_json, as_csv, markdown)
        return _whole(guest, subjects, settings, shape, jobs, began)
    from vmm.comparison import csvtext, report
    from vmm.comparison.plan import perform, plan

    rows = perform(plan(_benchmarks(guest), subjects, settings), tell_progress(), jobs)
    progress.clear()
    if svg:
        from vmm.comparison.chart import svg as draw

        first = settings[0]
        text = draw([row for row in rows if row.setting is first],
                    f"Cost of an operation, {first.cost.name}, {profile}")  # fmt: skip
        write(svg, text.encode())
        commit()
    if as_json:
        seconds = round(time.perf_counter() - began, 3)
        click.echo(json.dumps(report.document(rows, sensitivity, seconds), indent=1))
    elif as_csv:
        click.echo(csvtext.table(report.document(rows, False, 0)["rows"]), nl=False)
    else:
        click.echo("\n".join(report.lines(rows, markdown, breakdown, sensitivity)))
    return Status.FAILED if any(row.wrong for row in rows) else Status.PASSED


def _refuse_early(
    guest: str, names: tuple[str, ...] | None, costs: tuple[str, ...], svg: Path | None
) -> None:
    """Refuse what cannot be compared, before the compiler is imported."""
    for name in names or ():
        engine.find(name)
    for cost in costs:
        prices(cost)
    if guest == NANO or guest.startswith(f"{NANO}/"):
        _refuse_unknown(guest)
        sources: tuple[Path, ...] = ()
    else:
        found = _target(guest, "")
        refuse_unfit(found, MEM)
        sources = found.sources
    click.get_current_context().with_resource(outputs([("--svg", svg)], sources))


def _whole(name: str, subjects: list[Subject], settings: list[Setting], shape: Shape,
           jobs: int, began: float) -> int:  # fmt: skip
    from vmm.comparison import csvtext, wholereport
    from vmm.comparison.spread import spread
    from vmm.comparison.subjects import build_of
    from vmm.comparison.whole import LeftOut, Whole, try_whole

    pairs = [(setting, subject) for setting in settings for subject in subjects]
    runs, left_out = [], []
    for subject in subjects:
        if not _builds(name, build_of(subject)):
            left_out.append(LeftOut(subject, f"built for {subject.engine}, its source has errors"))
            pairs = [pair for pair in pairs if pair[1] != subject]
    tasks = [(_guest(name, build_of(subject)), subject, setting) for setting, subject in pairs]
    names = [f"{name} under {subject.label}" for _setting, subject in pairs]
    for (setting, _), got in zip(pairs, spread(try_whole, tasks, names, jobs, tell_progress()),
                                 strict=True):  # fmt: skip
        if isinstance(got, LeftOut):
            left_out.append(got)
        else:
            runs.append(replace(got, setting=setting))  # so that each has settings of its own
    progress.clear()
    unfit = next((one for one in left_out if not build_of(one.subject)), None)
    if unfit or not runs:
        first = unfit or left_out[0]
        raise Refusal(f"{name} under {first.subject.label}: {first.why}")
    left_out = list(dict.fromkeys(left_out))  # each once, whatever the prices
    if shape.as_json:
        seconds = round(time.perf_counter() - began, 3)
        click.echo(json.dumps(wholereport.document(runs, seconds, left_out), indent=1))
    elif shape.as_csv:
        for line in wholereport.omissions(left_out):
            tell(f"toyvmm: {line}")
        click.echo(csvtext.table(wholereport.document(runs, 0)["runs"]), nl=False)
    else:
        text = wholereport.lines(runs, shape.markdown, shape.breakdown, left_out)
        click.echo("\n".join(text))
    wrong: list[Whole] = [run for run in runs if run.wrong]
    return Status.FAILED if wrong else Status.PASSED


def _builds(name: str, build: str) -> bool:
    """Whether the guest can be built in this way; prints its errors.  Unmodified it must be
    possible.
    """
    try:
        _target(name, build)
    except click.exceptions.Exit:
        if not build:
            raise
        return False
    return True


@cache
def _guest(name: str, build: str):
    """The guest as it is built for an engine, with what its script types."""
    from vmm.comparison.whole import Guest

    target = _target(name, build)
    typed = read(target.script) if target.script else b""
    return Guest(target.name, target.elf, typed, MEM)


@cache
def _target(name: str, build: str) -> Target:
    """The target, read once; if it is not assembled it is the same for every build."""
    if build and (plain := _target(name, "")).assembled is None:
        return plain
    return find_target(name, [], build)


def _refuse_unknown(guest: str) -> None:
    import guests

    name = guest.removeprefix(NANO).removeprefix("/")
    known = [each.removeprefix(f"{NANO}/") for each in guests.catalogue()
             if each.startswith(f"{NANO}/")]  # fmt: skip
    if name and name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.6)
        hint = f"did you mean `{NANO}/{near[0]}`?" if near else f"there are {', '.join(known)}"
        raise Refusal(f"no benchmark is called {guest!r}; {hint}")


def _benchmarks(guest: str) -> list[str]:
    """The short names of the chosen benchmarks."""
    from vmm.comparison.subjects import nano

    name = guest.removeprefix(NANO).removeprefix("/")
    return [name] if name else list(nano())


def _subjects(names: tuple[str, ...] | None, paging: tuple[str, ...]) -> list[Subject]:
    from vmm.comparison.subjects import paging_of, subjects

    found = tuple(engine.find(name) for name in names or engine.names())
    known = {way for name in found for way in paging_of(name)}
    for way in paging:
        if way not in known:
            raise Refusal(f"no engine here has the paging {way!r}; there are "
                          f"{', '.join(sorted(known))}")  # fmt: skip
    return subjects(found, paging)


def _settings(profile: str, costs: tuple[str, ...]) -> list[Setting]:
    from toyisa.tables.levels import Profile
    from vmm.comparison.subjects import Setting

    level = Profile[profile.upper().replace("-", "_")]
    return [Setting(level, prices(cost)) for cost in costs]


def tell_progress() -> Any:
    """A function that prints what is being done: on a terminal always, else once a second."""
    told = time.perf_counter()

    def tell_it(line: str) -> None:
        nonlocal told
        progress.show(line)
        now = time.perf_counter()
        if now - told >= 1 and not progress.live():
            told = now
            tell(f"toyvmm: {line} ...")

    return tell_it
