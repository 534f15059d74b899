"""Answers for which published orderings hold of what was measured, and which do not.

An ordering is reduced to the roles that an engine plays here.  Between two steps that are
left, the strongest relation in between is required.  Must not know how it is shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vmm.comparison.measure import Row
from vmm.comparison.orderings import (
    BATCHES,
    CALIBRATED,
    ORDERINGS,
    PRESET,
    RELATIONS,
    Ordering,
)  # fmt: skip
from vmm.comparison.subjects import paging_of

Pricing = Callable[[Row], float]


@dataclass(frozen=True)
class Verdict:
    """`holds` is None if it cannot be answered, and `why` says why; `values` are cycles by name.

    `ordering` is what was required, `missing` the roles that no engine plays, `published` the
    paper's ratios.
    """

    row: int
    name: str
    benchmark: str
    ordering: str
    kind: str
    holds: bool | None
    values: dict[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    published: str = ""
    why: str = ""


def cycles(row: Row) -> float:
    """Cycles by the row's own prices."""
    return row.cycles


def verdicts(rows: Iterable[Row], price: Pricing = cycles) -> list[Verdict]:
    """A verdict for each ordering; the rows are of one setting."""
    by_benchmark: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_benchmark.setdefault(row.benchmark, {})[row.subject.label] = row
    found = [_chain(ordering, by_benchmark.get(ordering.benchmark, {}), price)
             for ordering in ORDERINGS]
    found += [*_batches(by_benchmark, price), _cold(by_benchmark, price)]
    return sorted(found, key=lambda verdict: verdict.row)


def _players(role: str, rows: dict[str, Row]) -> dict[str, Row]:
    """Which rows play a role, by label: rows that ran right, of engines that fit."""

    def plays(row: Row) -> bool:
        engine, paging = row.subject.engine, row.subject.paging
        choice = len(paging_of(engine)) > 1
        match role:
            case "VMM":
                return engine != "native" and not row.subject.force
            case "HW":
                return engine == "hvm"
            case "nested" | "HW-shadow":
                return engine == "hvm" and paging == role.removeprefix("HW-")
            case "shadow":
                return paging == "shadow"
            case "inline":
                return engine == "bt" and not row.subject.force
            case "callout":
                return row.subject.force == "callout"
            case "trap":
                return engine == "trap" or row.subject.force == "trap"
            case "PV":
                return engine == "pv" and (not choice or paging == paging_of(engine)[0])
            case _:
                return engine == role.lower() and not row.subject.force

    return {label: row for label, row in rows.items() if plays(row)}


@dataclass
class _Chain:
    """What of an ordering's chain was measured: the players of each step that has any, and the
    relation between each two of these steps; and the roles that nobody plays.
    """

    kept: list[dict[str, Row]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """As a person writes it: `bt < trap`."""
        words = [", ".join(players) for players in self.kept]
        return " ".join([*words[:1], *(f"{r} {w}" for r, w in zip(self.asked, words[1:]))])

    def pairs(self, values: dict[str, float]) -> list[tuple[float, str, float]]:
        """Each two values that the chain compares."""
        return [
            (values[a], relation, values[b])
            for n, relation in enumerate(self.asked)
            for a in self.kept[n] for b in self.kept[n + 1]
        ]  # fmt: skip


def _measured(ordering: Ordering, right: dict[str, Row]) -> _Chain:
    """The chain of the rows that are right; a step that is left out leaves its relation behind."""
    steps, relations = ordering.chain
    chain, strongest = _Chain(), "="
    for n, roles in enumerate(steps):
        if n:
            strongest = max(strongest, relations[n - 1], key=[*RELATIONS].index)
        players: dict[str, Row] = {}
        for role in roles:
            found = _players(role, right)
            players |= found
            if not found:
                chain.missing.append(role)
        if players:
            if chain.kept:
                chain.asked.append(strongest)
            chain.kept.append(players)
            strongest = "="
    return chain


def _why_not(missing: list[str], rows: dict[str, Row]) -> str:
    """Why nothing can be said."""
    if wrong := [label for role in missing for label in _players(role, rows)]:
        return f"{', '.join(wrong)} runs it wrong on this machine"
    return "no benchmark" if not rows else f"needs {', '.join(missing)}"


def _chain(ordering: Ordering, rows: dict[str, Row], price: Pricing) -> Verdict:
    chain = _measured(ordering, {label: row for label, row in rows.items() if not row.wrong})
    values = {label: price(row) for players in chain.kept for label, row in players.items()}
    pairs, holds = chain.pairs(values), None
    if pairs:
        holds = all(RELATIONS[relation](a, b) for a, relation, b in pairs)
        if ordering.least:
            native = next((price(row) for row in chain.kept[0].values()), 0)
            holds = holds and all(native >= ordering.least * value for value in values.values())
    calibrated = bool(values) and all(
        row.setting.cost.name == PRESET
        and (ordering.benchmark, row.subject.name) in CALIBRATED
        for players in chain.kept for row in players.values()
    )  # fmt: skip
    return Verdict(
        ordering.row, ordering.name, ordering.benchmark, chain.text if pairs else ordering.text,
        "calibrated" if calibrated else "emergent", holds, values if pairs else {},
        tuple(chain.missing), ordering.ratio, "" if pairs else _why_not(chain.missing, rows),
    )  # fmt: skip


def _batches(by_benchmark: dict[str, dict[str, Row]], price: Pricing) -> list[Verdict]:
    """Row 10: an entry in a batch of n costs a + b/n, up to 2048."""
    name, benchmark = "PTE writes by batched hypercall", "ptemod_batch"
    labels = [label for label, row in by_benchmark.get(f"{benchmark}:1", {}).items()
              if row.subject.engine == "pv" and not row.wrong]  # fmt: skip
    ordering = "an entry of a batch of n costs a + b/n, b > a, n to 2048"
    if not labels:
        return [Verdict(10, name, benchmark, ordering, "emergent", None, why="needs PV")]
    found = []
    for label in labels:
        costs = {n: price(by_benchmark[f"{benchmark}:{n}"][label]) for n in BATCHES}
        a = costs[BATCHES[-1]]
        b = costs[1] - a
        holds = b > a and all(RELATIONS["~"](cost, a + b / n) for n, cost in costs.items())
        values = {f"{label}, {n}": cost for n, cost in costs.items()}
        found.append(Verdict(10, name, benchmark, ordering, "emergent", holds, values))
    return found


def _cold(by_benchmark: dict[str, dict[str, Row]], price: Pricing) -> Verdict:
    """Row 14: cold code under BT has a translation term, warm code has none."""
    cold = _players("BT", by_benchmark.get("cold:1", {}))
    warm = _players("BT", by_benchmark.get("cold:2", {}))
    verdict = (14, "cold code", "cold", "bt translates when cold, not when warm", "emergent")
    if not cold or not warm:
        return Verdict(*verdict, None, why="needs BT")
    values, shares = {}, []
    for state, rows in (("cold", cold), ("warm", warm)):
        (label, row), = rows.items()
        values[f"{label}, {state}"] = price(row)
        shares.append(row.events.counts["root_translate"])
    return Verdict(*verdict, shares[0] > 0 and shares[1] == 0, values)
