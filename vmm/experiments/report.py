"""Answers for an experiment's outcome as text and as JSON (docs/json.md).

Must not know what was measured.
"""

from typing import Any

from vmm.comparison.published import Figure
from vmm.comparison.tables import number
from vmm.experiments.measured import Measured, Outcome, Setup, Verdict
from vmm.text import Table, layout, wrap

SCHEMA = "toyvmm.experiment/1"


def lines(name: str, summary: str, setup: Setup, outcome: Outcome) -> list[str]:
    """A table with a column for each scheduler, and a verdict on each line below."""
    title = (f"{name}: {summary}; engine {setup.engine}, prices {_cost(setup)}, "
             f"{setup.seconds:g} s of virtual time")  # fmt: skip
    held = sum(verdict.holds for verdict in outcome.verdicts)
    out = [*wrap([title]), "", *layout(_table(outcome)), ""]
    out.append(f"Verdicts: {held} hold, {len(outcome.verdicts) - held} do not")
    out += wrap([_verdict(verdict) for verdict in outcome.verdicts])
    told = [one.published.source for one in outcome.measured if one.published]
    sources = dict.fromkeys([*told, *(one.source for one in outcome.verdicts if one.source)])
    if sources:
        out += ["", f"Published: {', '.join(sources)}."]
    if told:
        out.append("V was read in the paper's text, X was computed from V.")
    return out


def _cost(setup: Setup) -> str:
    return setup.cost if isinstance(setup.cost, str) else setup.cost.name


def _table(outcome: Outcome) -> Table:
    """A line for each figure, a column for each way."""
    ways = list(dict.fromkeys(one.way for one in outcome.measured))
    rows: dict[str, dict[str, Measured]] = {}
    for one in outcome.measured:
        rows.setdefault(f"{one.what}, {one.unit}", {})[one.way] = one
    told = any(one.published for one in outcome.measured)
    table = [["", *ways, *(["published"] if told else [])]]
    for what, row in rows.items():
        cells = [number(row[way].value) if way in row else "" for way in ways]
        published = next((one.published for one in row.values() if one.published), None)
        table.append([what, *cells, *([_published(published)] if told else [])])
    return table


def _published(figure: Figure | None) -> str:
    return f"{number(figure.value)} [{figure.tag}]" if figure else ""


def _verdict(verdict: Verdict) -> str:
    answer = "holds" if verdict.holds else "DOES NOT HOLD"
    values = ", ".join(f"{who} {number(value)} {verdict.unit}"
                       for who, value in verdict.values.items())  # fmt: skip
    row = "" if verdict.row is None else verdict.row
    return f"{row:>2} {verdict.name}: {verdict.required}: {answer} ({values}; {verdict.kind})"


def document(
    name: str, setup: Setup, outcome: Outcome, seconds: float
) -> dict[str, Any]:
    """Everything as one JSON object; `seconds` is host time."""
    return {
        "schema": SCHEMA,
        "experiment": name,
        "engine": setup.engine, "cost": _cost(setup), "virtual_seconds": setup.seconds,
        "measured": [
            {
                "what": one.what, "scheduler": one.way, "value": one.value, "unit": one.unit,
                "published": one.published and vars(one.published),
            }
            for one in outcome.measured
        ],
        "verdicts": [
            {
                "row": one.row, "name": one.name, "required": one.required, "holds": one.holds,
                "kind": one.kind, "values": one.values, "unit": one.unit,
                "source": one.source or None,
            }
            for one in outcome.verdicts
        ],
        "seconds": seconds,
    }  # fmt: skip
