"""Answers for a comparison of whole runs of one guest: for people, and as JSON."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from vmm.comparison.document import SCHEMA
from vmm.comparison.vectors import TERMS
from vmm.comparison.whole import LeftOut, Whole, explain
from vmm.text import Table, layout, wrap


def omissions(left_out: Sequence[LeftOut]) -> list[str]:
    """Which engines could not run the guest, and why, one on each line."""
    return [f"left out: {one.subject.label}: {one.why}" for one in left_out]


def lines(
    runs: list[Whole], markdown: bool, terms: bool, left_out: Sequence[LeftOut] = ()
) -> list[str]:
    """Cycles under each engine, and a sentence on each two; `terms` shows all terms."""
    out = []
    costs = dict.fromkeys(run.setting.cost.name for run in runs)
    for cost in costs:
        mine = [run for run in runs if run.setting.cost.name == cost]
        profile = mine[0].setting.profile.name.lower().replace("_", "-")
        title = f"{mine[0].guest}, power-on to power-off, in cycles; {cost}, profile {profile}"
        out += [title, "", *layout(table(mine, terms), markdown), ""]
        right = [run for run in mine if not run.wrong]
        said = [f"wrong: {run.subject.label}: {run.wrong}" for run in mine if run.wrong]
        said += [explain(a, b) for a, b in pairwise(right)]
        said += omissions(left_out)
        said += [f"exits under {run.subject.label}: {_exits(run)}" for run in mine if run.exits]
        out += [*(said if markdown else wrap(said)), consoles(mine), ""]
    return out[:-1]


def table(runs: list[Whole], terms: bool) -> Table:
    """Cycles by term, if `terms`, and their totals: a column for each engine."""
    out = [["", *(run.subject.label for run in runs)]]
    if terms:
        used = [term for term in TERMS if any(run.terms[term] for run in runs)]
        out += [[term, *(f"{run.terms[term]:,}" for run in runs)] for term in used]
    out.append(["total", *(f"{run.total:,}" for run in runs)])
    out.append(["busy: total less idle", *(f"{run.busy:,}" for run in runs)])
    native = next((run for run in runs if run.subject.engine == "native"), None)
    if native:
        ratios = (f"{run.busy / max(native.busy, 1):.2f}" for run in runs)
        out.append(["busy, times native", *ratios])
    return out


def _exits(run: Whole) -> str:
    most = sorted(run.exits.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {kind}" for kind, count in most[:6])


def consoles(runs: list[Whole]) -> str:
    """Whether the guest printed the same under each engine."""
    first = runs[0]
    other = [run.subject.label for run in runs if run.console != first.console]
    if other:
        return f"the console under {', '.join(other)} differs from {first.subject.label}'s"
    return "the console is the same under each"


def document(
    runs: list[Whole], seconds: float, left_out: Sequence[LeftOut] = ()
) -> dict[str, Any]:
    """Everything as one JSON object."""
    return {
        "schema": SCHEMA,
        "guest": runs[0].guest,
        "runs": [
            {
                "engine": run.subject.name, "paging": run.subject.paging,
                "profile": run.setting.profile.name.lower().replace("_", "-"),
                "cost": run.setting.cost.name, "wrong": run.wrong or None, "cycles": run.total,
                "breakdown": run.terms, "instret": run.instret, "exits": run.exits,
                "same_console": run.console == runs[0].console,
                "counts": dict(run.events.counts) | {"hypercalls": run.events.hypercalls},
            }
            for run in runs
        ],
        "left_out": [
            {"engine": one.subject.name, "paging": one.subject.paging, "why": one.why}
            for one in left_out
        ],
        "explanations": [
            explain(a, b) for a, b in pairwise(runs)
            if a.setting is b.setting and not a.wrong and not b.wrong
        ],
        "seconds": seconds,
    }  # fmt: skip
