"""Answers for a machine with 128 busy domains: how late are they, and how late is an idle one?

Each domain measures itself how late it runs after its timer was due.
"""

from vmm.comparison.orderings import RELATIONS
from vmm.comparison.published import XEN, Figure
from vmm.experiments import loads
from vmm.experiments.latency import measure
from vmm.experiments.measured import UNJUDGED, Measured, Outcome, Setup, Verdict, Way

SUMMARY = "how late domains run on a machine with 128 busy ones"
WAYS = (Way("bvt"), Way("credit"), Way("rr"))
SECONDS = 10.0
BUSY = 128
RARE = 10_000_000  # ticks between timers of a busy one: more than all turns take together
MEM = 1 << 30
UNIT = "ms"
PING = "mean time until a ping is answered"
PUBLISHED = {"busy": 147.0, "idle": 5.4}


def run(
    setup: Setup, busy: int = BUSY, period: int = RARE, idle_guest: str = "probe"
) -> Outcome:
    """`busy` is how many domains compute, `period` how many ticks are between their timers."""
    measured, verdicts = [], []
    for way in setup.ways:
        host = setup.host(way, MEM)
        crowd = [
            loads.add(host, f"busy{n}", "busy", setup.engine, defines={"PERIOD": period})
            for n in range(busy)
        ]
        idle = loads.add(host, "idle", idle_guest, setup.engine)
        groups = {"busy": crowd, "idle": [idle]}
        mean = {}
        for who, parts in measure(setup, host, way, groups, f"{busy} busy domains").items():
            mean[who] = parts["mean"]
            figure = Figure(PUBLISHED[who], UNIT, None, "V", XEN, PING)
            measured += [
                Measured(f"{who}, mean", way.label, parts["mean"], UNIT, figure),
                Measured(f"{who}, worst", way.label, parts["worst"], UNIT),
            ]
        if way.scheduler not in UNJUDGED:
            verdicts.append(Verdict(
                None, f"{busy} busy domains, {way.label}", "idle << busy",
                RELATIONS["<<"](mean["idle"], mean["busy"]), mean, UNIT, XEN,
            ))  # fmt: skip
    return Outcome(measured, verdicts)
