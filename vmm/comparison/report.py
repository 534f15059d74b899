"""Answers for a comparison of nano-benchmarks as a whole: for people, and as JSON.

The rows are grouped by settings (a machine and its prices); each group is reported
separately.
"""

from typing import Any

from vmm.comparison import tables
from vmm.comparison.document import SCHEMA, row_document, verdict_document
from vmm.comparison.measure import Row
from vmm.comparison.redflags import red_flags
from vmm.comparison.sensitivity import flips, key_of
from vmm.comparison.subjects import Setting
from vmm.comparison.vectors import MEANING
from vmm.comparison.verdicts import Verdict, verdicts
from vmm.text import layout, wrap

LEGEND = (
    "Nx: times native. Published: cycles by Adams & Agesen 2006 (Pentium 4), us by",
    "Barham et al. 2003 (Xeon; bt: VMware Workstation). V read in the paper's text, D",
    "in its figure, X from V.",
)


def settings_of(rows: list[Row]) -> list[Setting]:
    """The settings of the rows, in their order."""
    return list({id(row.setting): row.setting for row in rows}.values())


def _of(rows: list[Row], setting: Setting) -> list[Row]:
    return [row for row in rows if row.setting is setting]


def lines(rows: list[Row], markdown: bool, terms: bool, sensitivity: bool) -> list[str]:
    """Everything as text: a table, verdicts, red flags; `terms` adds where the cycles go."""
    out: list[str] = []
    for setting in settings_of(rows):
        out += [*_setting(_of(rows, setting), setting, markdown, terms, sensitivity), ""]
    return [*(out if markdown else wrap(out)), *LEGEND]


def _setting(rows: list[Row], setting: Setting, markdown: bool, terms: bool,
             sensitivity: bool) -> list[str]:  # fmt: skip
    title = f"{setting.cost.name}: {setting.cost.summary}; profile {_profile(setting)}"
    out = [_heading(title, markdown, 2), "", *layout(tables.costs(rows), markdown)]
    if found := tables.ways(rows):
        out += ["", *layout(found, markdown)]
    if wrong := [row for row in rows if row.wrong]:
        out += ["", *(f"wrong: {row.benchmark} under {row.subject.label}: {row.wrong}"
                      for row in wrong)]  # fmt: skip
    if terms:
        out += ["", _heading("Where the cycles go", markdown, 3), ""]
        table = tables.breakdown(rows)
        out += layout(table, markdown)
        dash = "- " if markdown else ""
        out += ["", *(f"{dash}{term}: {MEANING[term]}" for term in table[0][1:-1])]
    judged, turned = _judged(rows), flips(rows) if sensitivity else None
    out += ["", _heading(f"Published orderings: {_count(judged)}", markdown, 3), ""]
    for verdict in judged:
        line = tables.verdict_line(verdict, turned and turned[key_of(verdict)])
        out.append(f"- {line.lstrip()}" if markdown else line)
    flags = red_flags(rows)
    out += ["", *(f"red flag: {flag}" for flag in flags or ["none"])]
    return out


def _judged(rows: list[Row]) -> list[Verdict]:
    """The verdicts to show: for one benchmark its own, for several all, answerable or not."""
    names = {row.benchmark.partition(":")[0] for row in rows}
    return [verdict for verdict in verdicts(rows)
            if len(names) > 1 or verdict.benchmark.partition(":")[0] in names]  # fmt: skip


def _count(judged: list[Verdict]) -> str:
    holds, fails, other = (sum(verdict.holds is answer for verdict in judged)
                           for answer in (True, False, None))  # fmt: skip
    return f"{holds} hold, {fails} do not, {other} not answerable"


def _heading(text: str, markdown: bool, level: int) -> str:
    return f"{'#' * level} {text}" if markdown else text


def _profile(setting: Setting) -> str:
    return setting.profile.name.lower().replace("_", "-")


def document(rows: list[Row], sensitivity: bool, seconds: float) -> dict[str, Any]:
    """Everything as one JSON object."""
    native = {(id(row.setting), row.benchmark): row for row in rows
              if row.subject.engine == "native"}  # fmt: skip
    judged, flags = [], []
    for setting in settings_of(rows):
        mine = _of(rows, setting)
        turned = flips(mine) if sensitivity else None
        judged += [
            verdict_document(verdict, turned and turned[key_of(verdict)], setting.cost.name)
            for verdict in _judged(mine)
        ]
        flags += [{"cost": setting.cost.name, "flag": flag} for flag in red_flags(mine)]
    return {
        "schema": SCHEMA,
        "rows": [row_document(row, native.get((id(row.setting), row.benchmark))) for row in rows],
        "verdicts": judged,
        "red_flags": flags,
        "seconds": seconds,
    }
