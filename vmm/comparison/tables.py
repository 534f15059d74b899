"""Answers for the contents of the tables and lines of a comparison.

Must not know how a figure came about, nor how wide a terminal is (`vmm/text.py`).
"""

from collections.abc import Iterable

from vmm.comparison.measure import Row
from vmm.comparison.orderings import PRESET
from vmm.comparison.published import Figure, figure
from vmm.comparison.vectors import TERMS
from vmm.comparison.verdicts import Verdict
from vmm.text import Table

SHOWN_BATCHES = ("1", "32", "2048")  # of ptemod_batch; the JSON has all


def number(value: float) -> str:
    """Cycles for people."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"


def costs(rows: list[Row]) -> Table:
    """Cycles of an operation and the ratio to native, one benchmark on each line; below, what is
    published.
    """
    labels = list(dict.fromkeys(row.subject.label for row in rows if not row.subject.force))
    whole = rows[0].setting.cost.name == PRESET
    table = [["cycles/operation", *labels]]
    for name, line in _by_benchmark(rows).items():
        native = line.get("native")
        table.append([name, *(_cost(line.get(label), native) for label in labels)])
        told = [_published(figure(name, label.split("/")[0]), whole) for label in labels]
        if any(told):
            table.append(["    published", *told])
    return table


def ways(rows: list[Row]) -> Table:
    """The rows of variants: what a benchmark costs with an engine's options."""
    found = [row for row in rows if row.subject.force]
    names = {(row.benchmark, row.subject.engine) for row in found}
    table = [["one emulated read", "cycles", "published"]]
    for row in rows:
        if (row.benchmark, row.subject.engine) in names and not row.wrong:
            name = row.subject.label if row.subject.force else f"{row.subject.label}, inline"
            whole = row.setting.cost.name == PRESET
            published = _published(figure(row.benchmark, row.subject.name), whole)
            table.append([f"{row.benchmark} {name}", number(row.cycles), published])
    return table if found else []


def shown(benchmark: str) -> bool:
    """Whether people are shown the row; of the batches, three are enough."""
    name, _, param = benchmark.partition(":")
    return name != "ptemod_batch" or param in SHOWN_BATCHES


def _by_benchmark(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if not row.subject.force and shown(row.benchmark):
            found.setdefault(row.benchmark, {})[row.subject.label] = row
    return found


def _cost(row: Row | None, native: Row | None) -> str:
    if row is None:
        return ""
    if row.wrong:
        return "wrong"
    if native is None or row is native or native.wrong or native.cycles <= 0:
        return number(row.cycles)
    return f"{number(row.cycles)} {ratio(row.cycles / native.cycles)}"


def ratio(value: float) -> str:
    """A ratio to native, for people: 31x, 1.05x, .07x."""
    if value >= 10:
        return f"{value:.0f}x"
    return f"{value:.2f}x" if value < 1.95 else f"{value:.1f}x"


def _published(found: Figure | None, whole: bool) -> str:
    """The figure; if not `whole` only its ratio, since it comes from another machine."""
    if found is None or (not whole and found.ratio in (None, 1)):
        return ""
    if not whole:
        return f"{ratio(found.ratio)} [{found.tag}]"
    if found.unit == "x":
        return f"{ratio(found.value)} [{found.tag}]"
    unit = "us" if found.unit == "us" else ""
    value = f"{found.value:,g}{unit}"
    of_native = found.ratio is not None and found.ratio != 1
    return f"{value}{f' {ratio(found.ratio)}' if of_native else ''} [{found.tag}]"


def breakdown(rows: list[Row]) -> Table:
    """Where the cycles of an operation go: a line for each benchmark and engine, a column for
    each term.
    """
    kept = [row for row in rows if shown(row.benchmark) and not row.wrong]
    used = [term for term in TERMS if any(round(row.terms[term] / row.iterations, 1)
                                          for row in kept)]  # fmt: skip
    table = [["cycles/operation", *used, "total"]]
    for row in kept:
        cells = [_term(row.terms[term] / row.iterations) for term in used]
        table.append([f"{row.benchmark} {row.subject.label}", *cells, number(row.cycles)])
    return table


def _term(value: float) -> str:
    return number(value) if abs(value) >= 0.05 else ""


def verdict_line(verdict: Verdict, flips: list[str] | None) -> str:
    """One line: the row, what was required, whether it holds, both numbers."""
    head = f"{verdict.row:>2} {verdict.name}:"
    if verdict.holds is None:
        return f"{head} {verdict.ordering}: not answerable with these engines ({verdict.why})"
    answer = "holds" if verdict.holds else "DOES NOT HOLD"
    values = ", ".join(f"{label} {number(value)}" for label, value in _few(verdict.values))
    line = f"{head} {verdict.ordering}: {answer} ({values}; {verdict.kind})"
    if verdict.missing:
        line += f"; without {', '.join(dict.fromkeys(verdict.missing))}"
    if flips is not None:
        line += f"; flips: {', '.join(flips) if flips else 'none'}"
    return line


def _few(values: dict[str, float]) -> list[tuple[str, float]]:
    """All values; if there are many, only the first and the last ones."""
    items = list(values.items())
    return items if len(items) <= 6 else [items[0], items[len(items) // 2], items[-1]]
