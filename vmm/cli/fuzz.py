"""`toyvmm fuzz`: random campaigns over the laws."""

import json
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vmm.cli import engine as engines
from vmm.cli import watchdog
from vmm.cli.files import Refusal, need_stdout, tell
from vmm.cli.params import Time
from vmm.cli.status import Status

SCHEMA, LAWS_SCHEMA = "toyvmm.fuzz/1", "toyvmm.fuzz-laws/1"
# Parameters that --replay does not use, and the names of their options.
TAKEN_FROM_FILE = {
    "law": "law", "minutes": "minutes", "jobs": "jobs", "corpus": "corpus", "engine": "engine",
    "seed": "seed", "as_json": "json",
}  # fmt: skip


@click.command()
@click.option("--law", metavar="NAME", help="Which law; --list prints them.")
@click.option("--minutes", type=Time("minutes"), default=1.0, show_default=True, metavar="N",
              help="How long, not counting compilation.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True,
              help="How many processes.")
@click.option("--corpus", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where failures and statistics are kept; a campaign continues where it stopped.")
@click.option("--engine", metavar="NAME|FILE.py",
              help="What runs the guests: native, trap, bt, pv; or a file that registers one.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="Another seed gives other cases.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="FILE",
              help="Only try the case again that a FILE of a corpus holds.")
@click.option("--list", "listing", is_flag=True, help="List the laws.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object (docs/json.md).")
@click.pass_context
def fuzz(context: click.Context, law: str | None, minutes: float, jobs: int, corpus: Path | None,
         engine: str | None, seed: int, replay: Path | None, listing: bool, as_json: bool) -> int:
    """Search for a case that breaks a law, among random cases.

    A failure is shrunk and written to the corpus, as a file that --replay tries again. stderr
    shows executions a second, and what was seen. Ctrl-C keeps what was found. The same command
    later tries the cases in the corpus, then other ones. Exit code 1: a case fails.
    """  # fmt: skip
    need_stdout()
    if engine and engine.endswith(".py"):
        engine = engines.find(engine)
    if replay is not None and not listing:
        _tell_ignored(context)
        return _replay(replay)
    laws = _laws()
    if listing:
        click.echo("\n".join(_listed(laws, as_json)))
        return Status.PASSED
    if law is None or corpus is None:
        raise click.UsageError("give --law and --corpus, or --replay, or --list")
    if law not in laws:
        raise Refusal(f"no law is called {law!r}{_nearest(law, laws)}")
    engine = _engine(engine, laws[law])
    try:
        corpus.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{corpus}: {error.strerror}") from None
    from vmm.fuzz.campaign import Campaign, CampaignError, Plan
    from vmm.fuzz.corpus import CorpusError

    plan = Plan(law, engine, minutes * 60, jobs, corpus, seed, laws[law].checked)
    watchdog.answered()  # the campaign answers Ctrl-C itself
    try:
        result = Campaign(plan, lambda result: tell(_progress(result))).run()
    except (CorpusError, CampaignError) as error:
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(f"{error.filename or corpus}: {error.strerror or error}") from None
    if as_json:
        click.echo(json.dumps(_document(plan, result), indent=2, default=str))
    else:
        click.echo("\n".join(_report(plan, result)))
    if result.interrupted:
        return Status.INTERRUPTED
    return Status.FAILED if result.failures else Status.PASSED


def _listed(laws: dict[str, Any], as_json: bool) -> list[str]:
    """The laws, one on each line, or as JSON."""
    if not as_json:
        return [f"{law.name:<13} {law.summary}" for law in laws.values()]
    rows = [{"name": law.name, "summary": law.summary, "engines": _known(law)}
            for law in laws.values()]  # fmt: skip
    return [json.dumps({"schema": LAWS_SCHEMA, "laws": rows}, indent=2)]


def _tell_ignored(context: click.Context) -> None:
    """Say which options --replay ignores: the file has all settings."""
    given = [name for name in TAKEN_FROM_FILE
             if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]  # fmt: skip
    if "engine" in given and context.params["engine"].endswith(".py"):
        given.remove("engine")  # it registers the engine that the file names
    if given:
        names = ", ".join(f"--{TAKEN_FROM_FILE[name]}" for name in given)
        tell(f"toyvmm: --replay tries the case of the file as it is there, and ignores {names}")


def _laws() -> dict[str, Any]:
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise Refusal("fuzz needs hypothesis: pip install toyvmm[test]") from None
    from vmm.fuzz.laws import LAWS

    return LAWS


def _nearest(name: str, known: Any) -> str:
    import difflib

    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(known)}"


def _known(law: Any) -> list[str]:
    """The engines on which the law can be tried, its default first."""
    from vmm import engines

    known = [engine for engine in engines.names()
             if not engines.facts(engine).build or law.patched]  # fmt: skip
    if law.native:
        known.insert(0, "native")
    return known if law.runs else ["native"]


def _engine(name: str | None, law: Any) -> str:
    """The engine to use; Refusal if there is none, or if the law cannot be tried on it."""
    from vmm import engines

    known = _known(law)
    if name is None:
        return known[0]
    if name in known:
        return name
    if not law.runs or name == "native":
        raise Refusal(f"the law {law.name} has no use for {name}; there are {', '.join(known)}")
    if name in engines.names():
        reason = law.unpatched or "the law's random kernels are not"
        raise Refusal(f"{law.name}: {name} runs kernels built for it, and {reason}; "
                      f"there are {', '.join(known)}")  # fmt: skip
    raise Refusal(f"no engine is called {name!r}{_nearest(name, known)}")


def _replay(path: Path) -> int:
    from vmm.fuzz.corpusfile import REGRESSION, CorpusError, read_object

    try:
        value = read_object(path, REGRESSION)
        laws = _laws()
        from vmm.fuzz import corpus
        from vmm.fuzz.apart import violated_apart

        failure = corpus.failure(value, path)
    except CorpusError as error:
        raise Refusal(str(error)) from None
    click.echo(f"{failure.law} on {failure.engine}, {failure.case.settings}")
    apart = laws[failure.law].checked
    violation = violated_apart(path) if apart else corpus.violated(failure)
    if violation is None:
        click.echo("holds now")
        return Status.PASSED
    click.echo(f"expected  {violation.expected}\nactual    {violation.actual}")
    click.echo("\n".join(part for part in (failure.where, failure.case.listing) if part))
    return Status.FAILED


def _rate(result: Any) -> float:
    return result.executions / result.seconds if result.seconds else 0.0


def _progress(result: Any) -> str:
    seen = result.total.seen
    coverage = " ".join(f"{len(seen[key])} {key.replace('_', ' ')}" for key in seen if seen[key])
    return (f"toyvmm: {result.seconds:.0f} s, {result.executions:,} executions, "
            f"{_rate(result):.1f}/s, seen: {coverage or 'nothing'}; "
            f"{len(result.failures)} failed")  # fmt: skip


def _never(plan: Any, result: Any) -> dict[str, list[str]]:
    from vmm.fuzz.seen import never

    if plan.law == "roundtrip":  # it runs nothing
        return {}
    return never(result.total.seen, virtual=plan.engine != "native")


def _report(plan: Any, result: Any) -> list[str]:
    total = result.total
    lines = [
        f"law         {plan.law} on {plan.engine}, seed {plan.seed}",
        f"this time   {result.executions:,} executions in {result.seconds:.0f} s, "
        f"{_rate(result):.1f}/s" + (", interrupted" if result.interrupted else ""),
        f"in all      {total.executions:,} executions in {total.seconds:.0f} s",
        *(f"seen        {len(names)} {key.replace('_', ' ')}" for key, names in total.seen.items()),
        *(f"never seen  {key}: {', '.join(names)}"
          for key, names in _never(plan, result).items() if names),
        f"failures    {len(result.failures)}",
    ]  # fmt: skip
    for path, failure in result.failures:
        lines.append(f"  {path}")
        lines += [f"    expected  {failure.expected}", f"    actual    {failure.actual}"]
        lines += [f"    {line}" for line in failure.where.splitlines()]
    return lines


def _document(plan: Any, result: Any) -> dict[str, Any]:
    total = result.total
    return {
        "schema": SCHEMA, "law": plan.law, "engine": plan.engine, "seed": plan.seed,
        "jobs": plan.jobs, "corpus": str(plan.folder), "interrupted": result.interrupted,
        "executions": result.executions, "seconds": round(result.seconds, 1),
        "executions_per_second": round(_rate(result), 2),
        "total": {"executions": total.executions, "seconds": round(total.seconds, 1)},
        "seen": total.seen, "never": _never(plan, result),
        "failures": [
            {"file": str(path), "expected": failure.expected, "actual": failure.actual,
             "where": failure.where}
            for path, failure in result.failures
        ],
    }  # fmt: skip
