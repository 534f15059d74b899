"""Answers for what a stopped hart has done, as numbers by name, and for its digest.

Must not know how it was run.
"""

import hashlib

import numpy as np

from toyisa.core.state import ARCHITECTURAL
from toyisa.tables import causes
from toyisa.tables.cost import CLASSES, EVENTS, Event
from toyisa.tables.insns import BY_NAME as ROWS
from toyisa.tables.ops import ROW_OF_OP


def cycles_by_class(hart: np.record, total: int) -> dict[str, int]:
    """Cycles by price class and event; what is left of `total` is idle.  The counts must be
    folded.
    """
    counts, price = hart.counts, hart.price
    cycles = dict.fromkeys((*CLASSES, *EVENTS, "idle"), 0)
    for op, name in ROW_OF_OP.items():
        cycles[ROWS[name].cost.value] += int(counts.op[op]) * int(price.op[op])
    for event in Event:
        cycles[event.name.lower()] += int(counts.event[event]) * int(price.event[event])
    cycles["idle"] = total - int(hart.clock.cycles)
    return cycles


def traps_by_cause(hart: np.record) -> dict[str, int]:
    """Traps that S took, by the names of `causes.name`."""
    exc, irq = hart.counts.exc.tolist(), hart.counts.irq.tolist()
    taken = {causes.name(n): times for n, times in enumerate(exc) if times}
    return taken | {causes.name(causes.INTERRUPT | n): k for n, k in enumerate(irq) if k}


def digest(hart: np.record, ram: np.ndarray, more: str = "") -> str:
    """A hex digest of the architectural registers, `more`, and RAM."""
    total = hashlib.sha256(hart["x"][:32].tobytes())
    for field in ARCHITECTURAL[1:]:
        total.update(np.asarray(hart[field]).tobytes())
    total.update(more.encode())
    total.update(np.ascontiguousarray(ram))
    return total.hexdigest()
