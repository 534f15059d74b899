"""Answers for making a host of a scenario: its domains, and its events on the agenda.

Must not know the file's syntax (`read.py`), nor run anything.
"""

from toyisa.load.image import ImageError
from toyisa.tables.cost import CostError
from vmm.hosting.domain import Domain, State
from vmm.hosting.host import Host
from vmm.scenario.plan import Do, DomainPlan, EventPlan, Scenario
from vmm.scenario.tables import ScenarioError


def build(scenario: Scenario, elves: list[bytes]) -> Host:
    """A host that is about to begin the scenario; ScenarioError."""
    plan, place = scenario.host, f"{scenario.path}: [host]"
    try:
        host = Host(
            plan.mem, plan.harts, plan.scheduler, plan.cost,
            quantum=plan.quantum, options=dict(plan.options),
        )  # fmt: skip
    except CostError as error:
        raise ScenarioError(f"{place}, key 'cost': {error}") from None
    except ValueError as error:  # options of the scheduler
        raise ScenarioError(f"{place}: {error}") from None
    for domain, elf in zip(scenario.domains, elves, strict=True):
        _add(host, domain, elf)
    for event in scenario.events:
        _arrange(host, event)
    return host


def cycles(host: Host, ns: int) -> int:
    """So many nanoseconds in cycles of the host."""
    return ns * host.us // 1000


def _add(host: Host, plan: DomainPlan, elf: bytes) -> None:
    share = plan.share
    try:
        host.domain(
            plan.name, elf, engine=plan.engine, mem=plan.mem, weight=share.weight, cap=share.cap,
            pins=share.pins, start=None if plan.start is None else cycles(host, plan.start),
            input=plan.input, clock=plan.clock, options=dict(plan.options),
        )  # fmt: skip
    except (ValueError, ImageError) as error:
        raise ScenarioError(f"{plan.place}: {plan.name!r} cannot be made: {error}") from None


def _arrange(host: Host, event: EventPlan) -> None:
    domains = [host.domains[name] for name in event.domains]

    def act(now: int) -> None:
        for domain in domains:
            try:
                _do(host, event, domain, now)
            except ValueError as error:  # the scheduler cannot have it so
                raise ScenarioError(
                    f"{event.place}: {domain.name!r} cannot be changed: {error}"
                ) from None

    host.agenda.at(cycles(host, event.at), act)


def _do(host: Host, event: EventPlan, domain: Domain, now: int) -> None:
    share = event.share
    match event.do:
        case Do.START if domain.state is State.NEW:
            host.begin(domain, now)
        case Do.RESUME if domain.state is State.PAUSED:
            host.begin(domain, now)
        case Do.PAUSE:
            host.pause(domain, now)
        case Do.KILL:
            host.kill(domain, now)
        case Do.SET:
            host.set(domain, weight=share.weight, cap=share.cap, pins=share.pins)
