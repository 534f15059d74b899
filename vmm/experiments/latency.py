"""Answers for row 17: how late domains run that wake up, and domains that always compute.

Six busy domains share a hart with others that sleep nearly always.  Each measures itself how
late it runs after its timer was due.
"""

from typing import Any

from vmm.comparison.orderings import RELATIONS
from vmm.experiments import loads
from vmm.experiments.measured import UNJUDGED, Measured, Outcome, Setup, Verdict, Way
from vmm.hosting.domain import Domain
from vmm.hosting.host import Host

SUMMARY = "how late a domain runs that wakes up, among six that always compute"
WAYS = (Way("bvt"), Way("credit"), Way("rr"))
SECONDS = 20.0
SOURCE = "Barham et al. 2003; Duda & Cheriton 1999"
BUSY = 6
WARP = 50_000  # us: W, more than the busy ones are apart
RARE = 2_000_000  # ticks between timers of a busy one: more than all turns take together
UNIT = "ms"


def run(setup: Setup, warp: int = WARP) -> Outcome:
    """`warp` is W of the domain that may warp, in microseconds."""
    measured, verdicts = [], []
    for way in setup.ways:
        sleepers: dict[str, dict[str, Any]] = {"woken": {}}
        if way.scheduler == "bvt":
            sleepers = {"woken, warped": {"warp_us": warp}, "woken": {}}
        means = _late(setup, way, sleepers)
        measured += [Measured(f"{who}, {part}", way.label, value, UNIT)
                     for who, parts in means.items() for part, value in parts.items()]  # fmt: skip
        mean = {who: parts["mean"] for who, parts in means.items()}
        if way.scheduler == "bvt":
            verdicts += [
                _judged(17, way, mean, "woken, warped", "<<", "busy"),
                _judged(17, way, mean, "woken, warped", "<<", "woken"),
                _judged(None, way, mean, "woken", "<<", "busy"),
            ]
        elif way.scheduler not in UNJUDGED:
            verdicts.append(_judged(None, way, mean, "woken", "<<", "busy"))
    return Outcome(measured, verdicts)


def _late(
    setup: Setup, way: Way, sleepers: dict[str, dict[str, Any]]
) -> dict[str, dict[str, float]]:
    """Mean and worst lateness of each sleeper, and of the busy ones together."""
    host = setup.host(way)
    groups = {
        who: [loads.add(host, who, "probe", setup.engine, options=options)]
        for who, options in sleepers.items()
    }
    groups["busy"] = [
        loads.add(host, f"busy{n}", "busy", setup.engine, defines={"PERIOD": RARE})
        for n in range(BUSY)
    ]
    return measure(setup, host, way, groups, "sleepers among busy domains")


def measure(
    setup: Setup, host: Host, way: Way, groups: dict[str, list[Domain]], what: str
) -> dict[str, dict[str, float]]:
    """Run the host; mean and worst lateness of each group together, in milliseconds."""
    setup.warm_up(host)
    before = {who: [loads.lateness(made) for made in group] for who, group in groups.items()}
    setup.run(host, way, what)
    found = {}
    for who, group in groups.items():
        late = [loads.lateness(made).since(was)
                for made, was in zip(group, before[who], strict=True)]  # fmt: skip
        mean = sum(each.total for each in late) / max(sum(each.count for each in late), 1)
        found[who] = {"mean": mean / 1000, "worst": max(each.most for each in late) / 1000}
    return found


def _judged(
    row: int | None, way: Way, mean: dict[str, float], a: str, relation: str, b: str
) -> Verdict:
    holds = RELATIONS[relation](mean[a], mean[b])
    return Verdict(row, f"lateness, {way.label}", f"{a} {relation} {b}", holds,
                   {who: mean[who] for who in (a, b)}, UNIT, SOURCE if row else "")  # fmt: skip
