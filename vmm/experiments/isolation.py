"""Answers for what a domain keeps of its hart beside a neighbour that takes what it can get.

A hog has a neighbour of the same weight.  What it keeps is the work that it does, as a part of
what it does alone.
"""

from vmm.experiments import loads
from vmm.experiments.measured import Measured, Outcome, Setup, Verdict, Way

SUMMARY = "what a hog keeps of its hart beside neighbours of the same weight"
WAYS = (Way("rr"), Way("bvt"), Way("credit"))
SECONDS = 5.0
# Neighbours, each with the part of the hart that the policy must leave to the hog, in per cent.
NEIGHBOURS = {"hog": 50.0, "storm": 50.0, "thief": 50.0, "probe": 100.0}
WITHIN = 4.0  # per cent of that part: as close as shares were published to be
UNIT = "%"


def run(setup: Setup, weight: int = 256) -> Outcome:
    """`weight` is the neighbour's; the hog's is 256."""
    measured, verdicts = [], []
    for way in setup.ways:
        alone = _work(setup, way, "", weight)
        for guest, part in NEIGHBOURS.items():
            kept = 100 * _work(setup, way, guest, weight) / alone
            measured.append(Measured(f"kept beside a {guest}", way.label, kept, UNIT))
            least = part * (100 - WITHIN) / 100
            verdicts.append(Verdict(
                None, f"a hog beside a {guest}, {way.label}", f"keeps at least {least:g} %",
                kept >= least, {"kept": kept}, UNIT,
            ))  # fmt: skip
    return Outcome(measured, verdicts)


def _work(setup: Setup, way: Way, neighbour: str, weight: int) -> int:
    """What the hog does beside this neighbour; "": nobody."""
    host = setup.host(way)
    victim = loads.add(host, "victim", "hog", setup.engine)
    if neighbour:
        loads.add(host, "neighbour", neighbour, setup.engine, weight=weight)
    setup.run(host, way, f"a hog beside a {neighbour}" if neighbour else "a hog alone")
    return loads.rounds(victim)
