"""Answers for the loop of the bare machine: run, and let the firmware answer S's calls.

Must not know what the firmware answers (`firmware.py`).
"""

import numpy as np

from toyisa.compiled.njit import call_unit, entry
from toyisa.core.clock import virtual_time
from toyisa.core.mmio import attend
from toyisa.core.state import NEVER
from toyisa.core.work import lend, out_of_work, settle_run
from toyisa.tables.causes import Exc
from toyisa.tables.exits import Reason
from toyisa.tables.requests import Request


@entry
def run_bare(hart, mem):
    """Run the bare machine: S's environment calls are answered here, everything else by root.

    On a bare machine root's deadline is set only by the devices and by `root.limit`.
    """
    while True:
        if out_of_work(mem):
            return np.int64(Reason.LOOK)
        hart.root.deadline = NEVER
        mem.request.pa = -1
        if attend(hart, mem) and not mem.console.halted:
            return np.int64(Reason.INPUT)
        if virtual_time(hart) >= hart.root.limit and not mem.console.halted:
            return np.int64(Reason.BUDGET)
        since, lent = np.int64(hart.clock.instret), lend(hart, mem)
        reason = call_unit(mem.execute, hart, mem, 0, 0, 0)
        settle_run(hart, mem, since, lent)
        if reason == Reason.DEADLINE:  # a device set it
            continue
        if reason == Reason.INPUT and mem.request.pa >= 0:
            return np.int64(Reason.DEVICE)
        if reason != Reason.TRAP or hart.exit.cause != Exc.ECALL_S:
            return reason
        hart.counts.exc[np.int64(Exc.ECALL_S)] += 1
        reason = call_unit(mem.serve, hart, mem, Request.SBI, 0, 0)
        if reason != Reason.RUN:
            hart.counts.exc[np.int64(Exc.ECALL_S)] -= 1
            return reason
        if hart.root.one_trap:
            return np.int64(Reason.STEP)


@entry
def run_bare_at(hart, mem, _first, _second, _third):
    """`run_bare` as a unit: for code that steps any machine, `Machine.runner`."""
    return run_bare(hart, mem)
