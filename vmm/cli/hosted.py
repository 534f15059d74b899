"""Answers for what the commands of `toyvmm host` share: a scenario is read, built, run, judged.

Must not know how the figures are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmm.cli.files import Refusal, tell
from vmm.cli.status import Status

if TYPE_CHECKING:
    from vmm.hosting.host import Host
    from vmm.scenario.plan import Scenario
    from vmm.scenario.session import Session


def read(file: str) -> tuple[Scenario, list[bytes]]:
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


def built(scenario: Scenario, elves: list[bytes]) -> Host:
    """A host that is about to begin; Refusal."""
    from vmm.scenario import build
    from vmm.scenario.tables import ScenarioError

    try:
        return build.build(scenario, elves)
    except ScenarioError as error:
        raise Refusal(str(error)) from None


def inputs(scenario: Scenario) -> list[Path]:
    """Every file that the scenario reads, which an output must not replace."""
    kernels = [scenario.folder / domain.kernel for domain in scenario.domains]
    cost = Path(scenario.host.cost.partition(":")[0])
    return [scenario.path, *scenario.inputs, *kernels, cost]


def run(
    scenario: Scenario, session: Session, until: int | None, timeout: float,
    tick: Callable[[], None] = lambda: None,
) -> str:  # fmt: skip
    """Run up to the time `until`, or the scenario's own; say why it ended.  Refusal."""
    from vmm.cli import watchdog
    from vmm.scenario import build
    from vmm.scenario.tables import ScenarioError

    end = build.cycles(session.host, scenario.host.until if until is None else until)
    watchdog.answered()  # Ctrl-C is answered by the session
    try:
        return session.run(end, timeout, tick)
    except ScenarioError as error:  # an event that the scheduler refuses
        raise Refusal(str(error)) from None


def status(ended: str, found: dict[str, Any]) -> Status:
    """The exit code of the command; `found` are the figures."""
    if ended == "interrupted":
        return Status.INTERRUPTED
    if any(row["state"] == "crashed" for row in found["domains"]):
        return Status.FAILED
    return Status.LIMIT if ended == "timeout" else Status.PASSED


def reason(ended: str, found: dict[str, Any]) -> str:
    """Why it ended, in words."""
    ms = found["now"] * 1000 / found["hz"]
    why = {
        "time": "the scenario's time is over", "over": "no domain will run again",
        "timeout": "stopped by --timeout", "interrupted": "interrupted",
    }[ended]  # fmt: skip
    crashed = sum(row["state"] == "crashed" for row in found["domains"])
    return f"{why}, at {ms:.1f} ms" + (f"; {many(crashed, 'domain')} crashed" if crashed else "")


def many(count: int, what: str) -> str:
    """So many of something, in English."""
    return f"{count} {what}" + ("s" if count != 1 else "")
