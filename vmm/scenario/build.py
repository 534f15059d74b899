"""Answers for making a host of a scenario: its domains, and its events on the agenda.

Must not know the file's syntax (`read.py`), nor run anything.
"""

from collections.abc import Callable
from functools import partial

from toyisa.load.image import ImageError
from toyisa.tables.cost import CostError
from vmm.hosting.domain import State
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
    for name in event.domains:
        host.agenda.at(cycles(host, event.at), _act(host, event, name))


def _act(host: Host, event: EventPlan, name: str) -> Callable[[int], None]:
    """What the event does to one domain; a start or a resume needs the state that it ends."""
    domain, share = host.domains[name], event.share

    def begin(state: State, now: int) -> None:
        if domain.state is state:
            host.begin(domain, now)

    def change(_now: int) -> None:
        try:
            host.set(domain, weight=share.weight, cap=share.cap, pins=share.pins)
        except ValueError as error:  # the scheduler cannot have it so
            raise ScenarioError(f"{event.place}: {name!r} cannot be changed: {error}") from None

    match event.do:
        case Do.START:
            return partial(begin, State.NEW)
        case Do.RESUME:
            return partial(begin, State.PAUSED)
        case Do.PAUSE:
            return partial(host.pause, domain)
        case Do.KILL:
            return partial(host.kill, domain)
        case Do.SET:
            return change
