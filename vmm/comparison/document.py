"""Answers for a comparison as one JSON object; docs/json.md says what its keys mean."""

from typing import Any

from vmm.comparison.measure import Row
from vmm.comparison.published import figure
from vmm.comparison.vectors import TERMS
from vmm.comparison.verdicts import Verdict

SCHEMA = "toyvmm.compare/1"


def row_document(row: Row, native: Row | None) -> dict[str, Any]:
    """A row; `native` is the bare machine's row of the same benchmark and setting."""
    found = figure(row.benchmark, row.subject.name)
    head = {
        "benchmark": row.benchmark, "engine": row.subject.name, "paging": row.subject.paging,
        "profile": row.setting.profile.name.lower().replace("_", "-"),
        "cost": row.setting.cost.name,
    }  # fmt: skip
    published = None if found is None else {
        "value": found.value, "unit": found.unit, "ratio": found.ratio, "tag": found.tag,
        "source": found.source, "note": found.note,
    }  # fmt: skip
    if row.wrong:
        return {**head, "wrong": row.wrong, "iterations": None, "cycles": None, "ratio": None,
                "breakdown": None, "counts": None, "published": published}  # fmt: skip
    of_native = native is not None and not native.wrong and native.cycles > 0
    return {
        **head,
        "wrong": None,
        "iterations": row.iterations,
        "cycles": row.cycles,
        "ratio": row.cycles / native.cycles if of_native else None,
        "breakdown": {term: row.terms[term] / row.iterations for term in TERMS},
        "counts": dict(row.events.counts) | {"hypercalls": row.events.hypercalls},
        "published": published,
    }


def verdict_document(verdict: Verdict, flips: list[str] | None, cost: str) -> dict[str, Any]:
    """A verdict; `flips` is null if the sensitivity was not asked for."""
    return {
        "row": verdict.row, "name": verdict.name, "benchmark": verdict.benchmark, "cost": cost,
        "ordering": verdict.ordering, "kind": verdict.kind, "holds": verdict.holds,
        "why": verdict.why or None, "values": verdict.values, "missing": list(verdict.missing),
        "published": verdict.published or None, "flips": flips,
    }  # fmt: skip
