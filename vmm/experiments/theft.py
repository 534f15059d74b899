"""Answers for row 18: who sleeps at every tick is never charged, if accounts are sampled.

A thief and a hog of the same weight share a hart.
"""

from vmm.comparison.orderings import RELATIONS
from vmm.comparison.published import Figure
from vmm.experiments import loads
from vmm.experiments.measured import Measured, Outcome, Setup, Verdict, Way

SUMMARY = "what a domain gets that sleeps at every tick, beside a hog of the same weight"
WAYS = (
    Way("credit", "credit, sampled", {"accounting": "sampled"}),
    Way("credit", "credit, exact", {"accounting": "exact"}),
    Way("bvt"), Way("rr"),
)  # fmt: skip
SECONDS = 10.0
ZHOU = "Zhou et al. 2011"
MOST, HALF = 90.0, 50.0  # per cent
UNIT = "%"


def run(setup: Setup, thief: str = "thief") -> Outcome:
    """`thief` is the guest that plays it."""
    measured, verdicts = [], []
    for way in setup.ways:
        host = setup.host(way)
        robber = loads.add(host, "thief", thief, setup.engine)
        victim = loads.add(host, "victim", "hog", setup.engine)
        setup.run(host, way, "a thief and a hog")
        shares = {made.name: 100 * made.ran / host.now for made in (robber, victim)}
        sampled = way.options.get("accounting") == "sampled"
        published = Figure(98, UNIT, None, "V", ZHOU, "abstract") if sampled else None
        measured += [
            Measured(f"share of the {name}", way.label, share, UNIT,
                     published if name == "thief" else None)
            for name, share in shares.items()
        ]  # fmt: skip
        share = shares["thief"]
        if sampled:
            verdicts.append(Verdict(
                18, f"theft, {way.label}", f"the thief takes more than {MOST:g} %", share > MOST,
                {"thief": share}, UNIT, ZHOU,
            ))  # fmt: skip
        elif way.options.get("accounting") == "exact":
            verdicts.append(Verdict(
                18, f"theft, {way.label}", f"the thief takes its share: ~ {HALF:g} %",
                RELATIONS["~"](share, HALF), {"thief": share}, UNIT, ZHOU,
            ))  # fmt: skip
    return Outcome(measured, verdicts)
