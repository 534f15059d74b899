"""Answers for the figures of a scenario that has run, as plain records.

Described in docs/json.md.  Must not know how they are shown.
"""

from typing import Any

import numpy as np

from toyisa.core.memory import PAGE
from vmm.hosting.domain import Domain, State
from vmm.hosting.host import Host
from vmm.scenario.session import Console, Session


def result(session: Session) -> dict[str, Any]:
    """The host, its harts and its domains."""
    host = session.host
    domains = list(host.domains.values())
    most = max((domain.number for domain in domains), default=0)
    frames = np.bincount(host.platform.frames["owner"], minlength=1 + most)
    return {
        "scheduler": host.scheduler,
        "mem": len(host.platform.ram),
        "hz": host.cost.hz,
        "now": host.now,
        "root_cycles": host.root_cycles,
        "harts": [
            {"hart": seat.number, "busy": seat.busy, "idle": seat.idle, "switches": seat.switches}
            for seat in host.seats
        ],
        "domains": [
            _domain(host, domain, session.consoles[domain.name], int(frames[domain.number]) * PAGE)
            for domain in domains
        ],
    }


def _domain(host: Host, domain: Domain, console: Console, memory: int) -> dict[str, Any]:
    whole = sum(seat.time for seat in host.seats)
    median, worst = latencies(domain.latency)
    return {
        "name": domain.name,
        "engine": domain.engine.name,
        "state": str(domain.state),
        "code": domain.code if domain.state is State.ENDED else None,
        "reason": domain.reason if domain.state is State.CRASHED else None,
        "weight": domain.weight,
        "cap": domain.cap,
        "pins": sorted(domain.pins),
        "memory": memory,
        "share": round(domain.ran / max(whole, 1), 6),
        "ran": domain.ran,
        "stolen": domain.stolen,
        "switches": domain.switches,
        "moves": domain.moves,
        "sleeps": domain.sleeps,
        "latency": {"median": median, "worst": worst,
                    "bins": [int(times) for times in domain.latency]},
        "exits": sum(row["count"] for row in domain.exits().values()),
        "instret": domain.instret,
        "last_line": console.last_line,
        "console": console.kept.decode("utf-8", "backslashreplace"),
        "console_truncated": console.truncated,
    }  # fmt: skip


def latencies(bins: np.ndarray) -> tuple[int | None, int | None]:
    """Bounds, in cycles, of the median and of the worst; None if it was never woken.

    Bin n has what took less than 2**n cycles, so a bound is at most twice the value.
    """
    filled = np.flatnonzero(bins)
    if not filled.size:
        return None, None
    median = int(np.searchsorted(np.cumsum(bins), (int(bins.sum()) + 1) // 2))
    return 1 << median, 1 << int(filled[-1])
