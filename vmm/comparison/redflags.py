"""Answers for results that are suspicious however well the orderings hold.

Must not know how they are shown.
"""

from vmm.comparison.measure import Row
from vmm.comparison.orderings import RELATIONS

TABLES = ("ptemod", "ptemod_batch:1", "ptemod_batch:2048", "ctxswitch")
EXITS = ("root_cross", "root_callout", "root_switch")


def red_flags(rows: list[Row]) -> list[str]:
    """A line for each red flag; the rows are of one setting."""
    cost = {(row.benchmark, row.subject.engine, row.subject.paging): row.cycles
            for row in rows if not row.wrong and not row.subject.force}  # fmt: skip

    def of(benchmark: str, engine: str, paging: str | None = None) -> float | None:
        return next((value for (b, e, p), value in cost.items()
                     if (b, e) == (benchmark, engine) and paging in (None, p)), None)  # fmt: skip

    found = []
    for benchmark in ("ptemod", "ptemod_batch:2048"):
        bt, hvm = of(benchmark, "bt"), of(benchmark, "hvm", "shadow")
        if bt and hvm and hvm < bt:
            found.append(f"{benchmark}: hardware without nesting beats bt, {hvm:,.0f} to {bt:,.0f}")
    native, bt = of("syscall", "native"), of("syscall", "bt")
    if native and bt and RELATIONS["~"](native, bt):
        found.append(f"syscall: bt costs about as much as native, {bt:,.0f} to {native:,.0f}")
    pv, bt = of("pgfault", "pv"), of("pgfault", "bt")
    if pv and bt and pv > bt:
        found.append(f"pgfault: pv is slower than bt, {pv:,.0f} to {bt:,.0f}")
    for row in rows:
        nested = row.subject.paging == "nested" and row.benchmark in TABLES
        if nested and any(row.events.counts.get(key) for key in EXITS):
            found.append(f"{row.benchmark}: exits under nested paging")
    trap, bt = of("irq_toggle", "trap"), of("irq_toggle", "bt")
    if trap and bt and bt > trap:
        found.append(f"irq_toggle: bt is slower than trap, {bt:,.0f} to {trap:,.0f}")
    return found
