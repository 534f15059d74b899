"""`toyvmm experiment`: many guests on one machine, beside what was published."""

from __future__ import annotations

import difflib
import json
import time
from pathlib import Path

import click

from toyisa.files import progress
from vmm.cli import engine as engines
from vmm.cli.compare import Names, tell_progress
from vmm.cli.files import Refusal, commit, need_stdout, outputs, write
from vmm.cli.guest import NATIVE, prices
from vmm.cli.status import Status

EXPERIMENTS = ("consolidation", "fairness", "isolation", "latency", "theft")


@click.command()
@click.argument("name", metavar="|".join(EXPERIMENTS), type=click.Choice(EXPERIMENTS))
@click.option("--scheduler", "schedulers", type=Names(), default=(), metavar="NAME,...",
              help="Which schedulers. [default: those that the experiment is about]")
@click.option("--engine", default="pv", show_default=True, metavar="NAME",
              help="Under which engine the guests run.")
@click.option("--cost", default="p4", show_default=True, metavar="NAME|FILE",
              help="What things cost: a preset or FILE.toml[:NAME].")
@click.option("--seconds", type=click.FloatRange(0.1, 1000), metavar="S",
              help="How much virtual time each run takes. [default: the experiment's own]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object (docs/json.md).")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw the figures as an SVG picture in FILE.")
def experiment(name: str, schedulers: tuple[str, ...], engine: str, cost: str,
               seconds: float | None, as_json: bool, svg: Path | None) -> int:  # fmt: skip
    """Let many guests share a machine, and lay what happens beside what was published.

    Each experiment prints a table with a column for each scheduler, and verdicts: whether a
    published ordering holds here. A verdict that does not hold is a result, and the exit code is
    0. Times are virtual. docs/experiments.md has the results.
    """
    need_stdout()
    began = time.perf_counter()
    _refuse_early(schedulers, engine)
    model = prices(cost)
    click.get_current_context().with_resource(outputs([("--svg", svg)], ()))

    from importlib import import_module

    from vmm.experiments import report
    from vmm.experiments.chart import svg as draw
    from vmm.experiments.measured import Setup, choose

    chosen = import_module(f"vmm.experiments.{name}")
    setup = Setup(choose(chosen.WAYS, schedulers), engine, model,
                  seconds or chosen.SECONDS, tell_progress())  # fmt: skip
    try:
        outcome = chosen.run(setup)
    except ValueError as error:  # a scheduler cannot have so many domains
        raise Refusal(str(error)) from None
    progress.clear()
    if svg:
        write(svg, draw(outcome, f"{name}: {chosen.SUMMARY}").encode())
        commit()
    if as_json:
        spent = round(time.perf_counter() - began, 3)
        click.echo(json.dumps(report.document(name, setup, outcome, spent), indent=1))
    else:
        click.echo("\n".join(report.lines(name, chosen.SUMMARY, setup, outcome)))
    return Status.PASSED


def _refuse_early(schedulers: tuple[str, ...], engine: str) -> None:
    """Refuse what cannot be run, before the compiler is imported."""
    from vmm import sched

    for name in schedulers:
        if name not in sched.names():
            near = difflib.get_close_matches(name, sched.names(), 1, 0.6)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(sched.names())}"
            raise Refusal(f"no scheduler is called {name!r}; {hint}")
    if engines.find(engine) == NATIVE:
        raise Refusal("the bare machine runs one guest; choose an engine, such as --engine trap")
