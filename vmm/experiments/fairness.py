"""Answers for row 16: domains that always compute get shares after their weights.

Eight hogs share a hart.  A share is a part of all the work that was done, as the hogs
themselves have counted it.
"""

from collections.abc import Sequence

from vmm.comparison.published import XEN, Figure
from vmm.experiments import loads
from vmm.experiments.measured import UNJUDGED, Measured, Outcome, Setup, Verdict, Way

SUMMARY = "shares of eight hogs of weights 1 to 8"
WAYS = (Way("bvt"), Way("credit"), Way("rr"))
SECONDS = 20.0
WEIGHTS = tuple(range(1, 9))
WITHIN = 4.0  # per cent of the share that the weight asks for
UNIT = "%"


def run(setup: Setup, weights: Sequence[int] = WEIGHTS) -> Outcome:
    """The domains get `weights`; they are judged by WEIGHTS."""
    measured, verdicts = [], []
    for way in setup.ways:
        host = setup.host(way)
        hogs = [
            loads.add(host, f"hog{n}", "hog", setup.engine, weight=weight)
            for n, weight in enumerate(weights)
        ]
        setup.warm_up(host)
        before = [loads.rounds(hog) for hog in hogs]
        setup.run(host, way, "eight hogs")
        done = [loads.rounds(hog) - was for hog, was in zip(hogs, before, strict=True)]
        shares = [100 * rounds / sum(done) for rounds in done]
        wanted = [100 * weight / sum(WEIGHTS) for weight in WEIGHTS]
        measured += [
            Measured(f"share of weight {weight}", way.label, share, UNIT,
                     Figure(want, UNIT, None, "X", XEN, "the weight's part of all"))
            for weight, share, want in zip(WEIGHTS, shares, wanted, strict=True)
        ]  # fmt: skip
        worst = max(abs(100 * share / want - 100)
                    for share, want in zip(shares, wanted, strict=True))  # fmt: skip
        published = Figure(WITHIN, UNIT, None, "V", XEN, "at most")
        measured.append(Measured("largest error", way.label, worst, UNIT, published))
        if way.scheduler not in UNJUDGED:
            row, source = (16, XEN) if way.scheduler == "bvt" else (None, "")
            verdicts.append(Verdict(
                row, f"weights 1 to 8, {way.label}",
                f"each share within {WITHIN:g} % of the weight's", worst <= WITHIN,
                {"largest error": worst}, UNIT, source,
            ))  # fmt: skip
    return Outcome(measured, verdicts)
