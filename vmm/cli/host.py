"""`toyvmm host`: many guests on one machine, as a scenario file says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from vmm.cli import hosted
from vmm.cli.files import Refusal, commit, need_stdout, opened, outputs, tell, write
from vmm.cli.params import Time

if TYPE_CHECKING:
    from vmm.hosting.host import Host

SCHEMA = "toyvmm.host/1"


def _scenarios(
    _context: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    from vmm.scenario import catalogue

    found = [CompletionItem(name, help=catalogue.summary(name))
             for name in catalogue.shipped() if name.startswith(begun)]  # fmt: skip
    return [*found, CompletionItem(begun, type="file")]


def _time(_context: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from vmm.scenario import values

    try:
        return None if value is None else values.duration(value)
    except values.Wrong as error:
        raise click.BadParameter(str(error)) from None


_file = click.argument("file", metavar="FILE.toml|NAME", shell_complete=_scenarios)
_until = click.option(
    "--until", callback=_time, metavar="TIME",
    help="End at this virtual time, such as 200ms, instead of the scenario's.",
)  # fmt: skip
_timeout = click.option(
    "--timeout", type=Time(), default=300, show_default=True, metavar="SECONDS",
    help="Stop after this time of this computer; 0: never.",
)  # fmt: skip


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
@_until
@_timeout
@click.pass_context
def up(context: click.Context, file: str, as_json: bool, csv: Path | None, timeline: Path | None,
       until: int | None, timeout: float) -> int:
    """Run a scenario, then print what each domain and each hart has done.

    The scenario is a file (docs/howto/host.md), or one that comes with toyvmm. Times are virtual
    unless said otherwise. Ctrl-C prints what there is so far. The exit code is 1 if a domain has
    crashed, and 3 if --timeout ended the run.
    """
    need_stdout()
    scenario, elves = hosted.read(file)
    wanted = [("--csv", csv), ("--timeline", timeline)]
    context.with_resource(outputs(wanted, hosted.inputs(scenario)))
    made = hosted.built(scenario, elves)
    from toyisa.files import progress
    from vmm.cli import hosttable, refused
    from vmm.cli.conduct import settle_garbage
    from vmm.scenario.result import result
    from vmm.scenario.session import Session

    settle_garbage()
    session, name = Session(made), scenario.path.stem
    written = _timeline(made, name, timeline)
    with progress.watched(name, lambda: f"{made.now / made.us / 1000:.1f} ms of virtual time"):
        ended = hosted.run(scenario, session, until, timeout)
    if written:
        written.close()
        written.file.close()
    found = result(session)
    status, reason = hosted.status(ended, found), hosted.reason(ended, found)
    if csv:
        write(csv, hosttable.table(found).encode())
    if as_json:
        content = {"schema": SCHEMA, "scenario": name, "exit": str(ended), "status": int(status),
                   "reason": reason, **found, "seconds": round(session.seconds, 6)}  # fmt: skip
        text = json.dumps(content, indent=2)
        refused.printed.append(text)
        click.echo(text)
    else:
        click.echo("\n".join(hosttable.lines(found)))
    commit()
    tell(f"toyvmm: {name}: {reason}; {session.seconds:.1f} s")
    return status


@host.command()
@_file
@_until
@_timeout
def top(file: str, until: int | None, timeout: float) -> int:
    """Run a scenario, and show on the terminal what each domain does meanwhile.

    The column `now` is the part of a hart that a domain had since the table before.  At the end
    the tables of `up` are printed.
    """
    if not sys.stdout or not sys.stdout.isatty():
        raise Refusal("`host top` needs a terminal; use `toyvmm host up`")
    scenario, elves = hosted.read(file)
    made = hosted.built(scenario, elves)
    from vmm.cli import hosttable
    from vmm.cli.conduct import settle_garbage
    from vmm.cli.hosttop import Screen
    from vmm.scenario.result import result
    from vmm.scenario.session import Session

    settle_garbage()
    session, name = Session(made), scenario.path.stem
    screen = Screen(session, name)
    ended = hosted.run(scenario, session, until, timeout, screen.tick)
    screen.close()
    found = result(session)
    click.echo("\n".join(hosttable.lines(found)))
    tell(f"toyvmm: {name}: {hosted.reason(ended, found)}; {session.seconds:.1f} s")
    return hosted.status(ended, found)


@host.command()
@_file
def check(file: str) -> None:
    """Say whether a scenario is right, without running it.

    Its kernels are assembled and loaded, so that what does not fit is found.
    """
    need_stdout()
    scenario, elves = hosted.read(file)
    made = hosted.built(scenario, elves)
    what = [hosted.many(len(made.domains), "domain"), hosted.many(len(made.seats), "hart"),
            hosted.many(len(scenario.events), "event")]  # fmt: skip
    click.echo("{}: {} on {}, {}: right".format(scenario.path, *what))


def _timeline(made: Host, name: str, path: Path | None) -> Any:
    if path is None:
        return None
    from vmm.watch.hosttimeline import HostTimeline

    return HostTimeline(made, name, opened(path))
