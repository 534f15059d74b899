"""Answers for metering: what had been spent each time that the guest read `cycle`.

A benchmark measures itself by reading `cycle` before and after.  A meter records what had
been spent at each reading.  It costs the guest nothing and changes nothing.  Must not know
what is measured.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.core.decodepool import fold_counts
from toyisa.core.state import ADDRESS, record
from toyisa.tables.cost import Event
from toyisa.tables.ops import MAX_OPS

MARKS = 512   # readings that a meter holds
OTHERS = 32   # counters besides the hart's

# Row n is for the n-th reading; it has the counts since the machine began.
METER = record(
    ("marks", "i8"),
    ("cycles", "i8", MARKS), ("idle", "i8", MARKS),
    ("op", "i8", (MARKS, MAX_OPS)), ("event", "i8", (MARKS, len(Event))),
    ("others", "i8"), ("others_at", ADDRESS),  # how many other counters there are, and where
    ("other", "i8", (MARKS, OTHERS)),
)  # fmt: skip


@njit
def mark(hart, mem):
    """The guest reads `cycle` on this hart, which is stopped: record that if there is a meter."""
    if mem.meter == 0:
        return
    meter = view(mem.meter, 1, METER)[0]
    n = meter.marks
    meter.marks = n + 1
    if n >= MARKS:
        return
    fold_counts(hart, mem)
    meter.cycles[n], meter.idle[n] = hart.clock.cycles, hart.clock.idle
    meter.op[n], meter.event[n] = hart.counts.op, hart.counts.event
    if meter.others:
        others = view(meter.others_at, OTHERS, np.int64)
        for k in range(meter.others):
            meter.other[n, k] = others[k]


def attach(mem: np.record, others: np.ndarray | None = None) -> np.ndarray:
    """Give the machine's memory a meter, with `others` as further counters; keep the returned
    object.
    """
    meter = np.zeros(1, METER)
    if others is not None:
        meter[0].others, meter[0].others_at = min(len(others), OTHERS), others.ctypes.data
    mem.meter = meter.ctypes.data
    return meter
