"""Answers for which verdicts depend on a price: each is halved and doubled, the events kept.

Nothing is run again.  The prices of crossing and callout are also changed together.
"""

from collections.abc import Iterator

from vmm.comparison.measure import Row
from vmm.comparison.verdicts import Verdict, verdicts

JOINT = (("root_cross", "root_callout"),)
FACTORS = ((0.5, "/2"), (2, "x2"))


def changes(rows: list[Row]) -> Iterator[tuple[str, dict[str, float]]]:
    """Each change by name, and the prices that it gives; only for prices that were paid at all."""
    prices = rows[0].setting.cost.price
    paid = [key for key in prices if any(row.events.counts.get(key) for row in rows)]
    for keys in (*((key,) for key in paid), *JOINT):
        for factor, sign in FACTORS:
            changed = {key: prices[key] * (factor if key in keys else 1) for key in prices}
            yield f"{' and '.join(keys)} {sign}", changed


def flips(rows: list[Row]) -> dict[tuple[int, str], list[str]]:
    """For each verdict's row and benchmark, the changes that turn the verdict over."""
    before = verdicts(rows)
    found: dict[tuple[int, str], list[str]] = {key_of(verdict): [] for verdict in before}
    for name, prices in changes(rows):
        after = verdicts(rows, lambda row, prices=prices: row.at(prices))
        for old, new in zip(before, after):
            if old.holds != new.holds:
                found[key_of(old)].append(name)
    return found


def key_of(verdict: Verdict) -> tuple[int, str]:
    """What distinguishes the verdicts of one setting."""
    return verdict.row, verdict.benchmark
