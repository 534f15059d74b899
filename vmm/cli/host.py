"""`toyvmm host`: many guests on one machine, as a scenario file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from vmm.cli.files import Refusal, commit, need_stdout, opened, outputs, tell, write
from vmm.cli.params import Time
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.hosting.host import Host
    from vmm.scenario.plan import Scenario

SCHEMA = "toyvmm.host/1"


def _scenarios(
    _context: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    from vmm.scenario import catalogue

    found = [CompletionItem(name, help=catalogue.summary(name))
             for name in catalogue.shipped() if name.startswith(begun)]  # fmt: skip
    return [*found, CompletionItem(begun, type="file")]


def _until(_context: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from vmm.scenario import values

    try:
        return None if value is None else values.duration(value)
    except values.Wrong as error:
        raise click.BadParameter(str(error)) from None


_file = click.argument("file", metavar="FILE.toml|NAME", shell_complete=_scenarios)


@click.group()
def host() -> None:
    """Run many guests on one machine, as a scenario file says."""


@host.command()
@_file
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE",
              help="Write a row for each domain to FILE.")
@click.option("--timeline", type=click.Path(path_type=Path), metavar="FILE",
              help="Write who ran when to FILE in Chrome's trace format, for Perfetto.")
@click.option("--until", callback=_until, metavar="TIME",
              help="End at this virtual time, such as 200ms, instead of the scenario's.")
@click.option("--timeout", type=Time(), default=300, show_default=True, metavar="SECONDS",
              help="Stop after this time of this computer; 0: never.")
@click.pass_context
def up(context: click.Context, file: str, as_json: bool, csv: Path | None, timeline: Path | None,
       until: int | None, timeout: float) -> int:
    """Run a scenario, then print what each domain and each hart has done.

    The scenario is a file (docs/howto/host.md), or one that comes with toyvmm. Times are virtual
    unless said otherwise. Ctrl-C prints what there is so far. The exit code is 1 if a domain has
    crashed, and 3 if --timeout ended the run.
    """
    need_stdout()
    scenario, elves = _read(file)
    context.with_resource(outputs([("--csv", csv), ("--timeline", timeline)], _inputs(scenario)))
    made = _built(scenario, elves)
    from toyisa.files import progress
    from vmm.cli import hosttable, refused, watchdog
    from vmm.cli.conduct import settle_garbage
    from vmm.scenario import build
    from vmm.scenario.result import result
    from vmm.scenario.session import Session
    from vmm.scenario.tables import ScenarioError

    settle_garbage()
    session = Session(made)
    name = scenario.path.stem
    end = build.cycles(made, scenario.host.until if until is None else until)
    written = _timeline(made, name, timeline)
    watchdog.answered()  # Ctrl-C is answered by the session
    try:
        with progress.watched(name, lambda: f"{made.now / made.us / 1000:.1f} ms of virtual time"):
            ended = session.run(end, timeout)
    except ScenarioError as error:  # an event
        raise Refusal(str(error)) from None
    if written:
        written.close()
        written.file.close()
    found = result(session)
    status = _status(ended, found)
    if csv:
        write(csv, hosttable.table(found).encode())
    if as_json:
        content = {"schema": SCHEMA, "scenario": name, "exit": str(ended), "status": int(status),
                   "reason": _reason(ended, found), **found,
                   "seconds": round(session.seconds, 6)}  # fmt: skip
        text = json.dumps(content, indent=2)
        refused.printed.append(text)
        click.echo(text)
    else:
        click.echo("\n".join(hosttable.lines(found)))
    commit()
    tell(f"toyvmm: {name}: {_reason(ended, found)}; {session.seconds:.1f} s")
    return status


@host.command()
@_file
def check(file: str) -> None:
    """Say whether a scenario is right, without running it.

    Its kernels are assembled and loaded, so that what does not fit is found.
    """
    need_stdout()
    scenario, elves = _read(file)
    made = _built(scenario, elves)
    domains, events, harts = len(made.domains), len(scenario.events), len(made.seats)
    click.echo(f"{scenario.path}: {_many(domains, 'domain')} on {_many(harts, 'hart')}, "
               f"{_many(events, 'event')}: right")  # fmt: skip


def _read(file: str) -> tuple[Scenario, list[bytes]]:
    """The scenario and the kernels of its domains, before the compiler is imported; Refusal."""
    from asm.errors import AsmErrors
    from vmm.cli.refused import BuildFailed
    from vmm.scenario import catalogue, kernels, read
    from vmm.scenario.tables import ScenarioError

    try:
        scenario = read.read(catalogue.find(file))
        return scenario, kernels.kernels(scenario)
    except ScenarioError as error:
        raise Refusal(str(error)) from None
    except AsmErrors as errors:
        tell(str(errors))
        raise BuildFailed(errors.problems) from None


def _built(scenario: Scenario, elves: list[bytes]) -> Host:
    from vmm.scenario import build
    from vmm.scenario.tables import ScenarioError

    try:
        return build.build(scenario, elves)
    except ScenarioError as error:
        raise Refusal(str(error)) from None


def _inputs(scenario: Scenario) -> list[Path]:
    """Every file that the scenario reads, which an output must not replace."""
    kernels = [scenario.folder / domain.kernel for domain in scenario.domains]
    cost = Path(scenario.host.cost.partition(":")[0])
    return [scenario.path, *scenario.inputs, *kernels, cost]


def _timeline(made: Host, name: str, path: Path | None) -> Any:
    if path is None:
        return None
    from vmm.watch.hosttimeline import HostTimeline

    return HostTimeline(made, name, opened(path))


def _status(ended: str, found: dict[str, Any]) -> Status:
    if ended == "interrupted":
        return Status.INTERRUPTED
    if any(row["state"] == "crashed" for row in found["domains"]):
        return Status.FAILED
    return Status.LIMIT if ended == "timeout" else Status.PASSED


def _reason(ended: str, found: dict[str, Any]) -> str:
    ms = found["now"] * 1000 / found["hz"]
    why = {
        "time": "the scenario's time is over", "over": "no domain will run again",
        "timeout": "stopped by --timeout", "interrupted": "interrupted",
    }[ended]  # fmt: skip
    crashed = sum(row["state"] == "crashed" for row in found["domains"])
    return f"{why}, at {ms:.1f} ms" + (f"; {_many(crashed, 'domain')} crashed" if crashed else "")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")
