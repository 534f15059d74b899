"""Answers for runs of instructions: opened, left and closed.

What an instruction does is in `handlers.py`; all that is not plain (a TLB miss, a CSR, a
trap) is done outside of handlers, by `serve.py`.  Must not know devices, firmware or what
root does.

How it counts.  A *run* is a stretch of micro-ops executed in the decode pool: `i` is the
place of the next one, and what the guest sees is derived from `i`:

    pc      = pc0     + 4 * i
    instret = retired + i
    cycles  = check + left + cum[i]     cum: cycles of the page up to here

so a plain instruction updates no counter.  A taken branch moves `i` and corrects
`retired` and `left` by the difference; `flow` and `edge` remember where runs began,
ended and jumped, from which `runcounts.py` derives how often each instruction ran.

A fused op runs several instructions in one go; where its second cannot be done, the run is
left at the second.

How it stops in time.  A STOP op ends the run: it is put at `stop`, the exact instruction
where the budget, root's deadline or the timer falls (the ops before it are parted, lest a
fused one run past it).  After a jump or a page's end the same must hold, so a jump at or past
`check` cycles ends the run: no page takes longer than from there to the deadline.
Every price is at least 1: what is `n` instructions away, is `n` cycles away or more.
"""

import numpy as np

from toyisa.compiled.njit import call_unit, entry, njit
from toyisa.core import access
from toyisa.core.decode import part
from toyisa.core.handlers import PLACE, VPAGE
from toyisa.core.memory import STRIDE, WORDS, pool_of
from toyisa.core.run import deadlines, exact_stop
from toyisa.core.run_handlers import run_handlers
from toyisa.tables.exits import Reason
from toyisa.tables.leaves import Leave
from toyisa.tables.ops import MOST_PARTS, Op
from toyisa.tables.requests import Request

M = 0xFFFFFFFF


@njit
def _open_run(hart, mem, slot):
    """Begin a run at `hart.pc`, whose page is decoded in `slot`."""
    pool = pool_of(mem)
    run, cum, uops = hart.run, pool.cum, pool.uops
    end = slot * STRIDE + WORDS
    i = slot * STRIDE + ((np.int64(hart.pc) & PLACE) >> 2)
    run.i = i
    run.pc0 = np.int64(hart.pc) - 4 * i
    run.retired = hart.clock.instret - i
    cycles_left, instructions_left = deadlines(hart, mem)
    run.check = hart.clock.cycles + min(cycles_left, instructions_left) - pool.longest
    run.left = hart.clock.cycles - cum[i] - run.check
    stop = exact_stop(cum, i, end, cycles_left, instructions_left)
    run.stop = stop
    run.stop_uop, run.parted = uops[stop], 0
    if stop < end:
        uops[stop] = Op.STOP
        run.parted = min(MOST_PARTS - 1, stop - slot * STRIDE)
        for n in range(run.parted):
            run.before[n] = part(pool, stop - 1 - n)
    pool.flow[i] += 1


@njit
def _close_run(hart, mem):
    """End the run where it stands: clock, pc and pool are as if there had been none."""
    pool = pool_of(mem)
    run = hart.run
    i = np.int64(run.i)
    pool.uops[run.stop] = run.stop_uop
    for n in range(run.parted):
        pool.uops[run.stop - 1 - n] = run.before[n]
    pool.flow[i] -= 1
    _set_clock(hart, mem, i)
    hart.pc = (run.pc0 + 4 * i) & M
    slot = i // STRIDE
    hart.fetch.tag = hart.tlb.ctx_x | (run.pc0 + 4 * slot * STRIDE) & VPAGE
    hart.fetch.frame = pool.owner[slot]
    if hart.stale >= 0:
        call_unit(mem.serve, hart, mem, Request.SETTLE, 0, 0)


@njit
def _set_clock(hart, mem, i):
    """Make the clock right for the place `i` of the run."""
    pool = pool_of(mem)
    run = hart.run
    hart.clock.cycles = run.left + run.check + pool.cum[i]
    hart.clock.instret = run.retired + i


@njit
def _access_slowly(hart, mem):
    """Do the access that the run stands at; GO_ON if nothing else has changed, or why not."""
    pool = pool_of(mem)
    run, cum = hart.run, pool.cum
    i = np.int64(run.i)
    _set_clock(hart, mem, i)
    outcome = call_unit(mem.serve, hart, mem, Request.ACCESS, pool.uops[i], 0)
    run.left = hart.clock.cycles - run.check - cum[i]
    if outcome == access.FAULT:
        return np.int64(Leave.FAULT)
    if outcome == access.CODE_STORE:
        return np.int64(Leave.CODE_STORE)
    if outcome == access.ASK:
        return np.int64(Leave.ASK)
    if outcome == access.LOOK:
        return np.int64(Leave.LOOK)
    run.i = i + 1
    goes_on = outcome == access.DONE and run.left + cum[i + 1] < 0
    return np.int64(Leave.GO_ON if goes_on else Leave.END)


@entry
def execute(hart, mem, _request, _first, _second):
    """Run from `hart.pc` until root must act; the exits.Reason, details in hart.exit.

    A unit: whatever loop root has, it calls this by its address.
    """
    pool = pool_of(mem)
    while True:
        slot = call_unit(mem.serve, hart, mem, Request.PREPARE, 0, 0)
        if slot < 0:
            return -1 - slot
        _open_run(hart, mem, slot)
        why = np.int64(Leave.GO_ON)
        while why == Leave.GO_ON:
            why = run_handlers(hart, mem)
            if why == Leave.MEMORY:
                why = _access_slowly(hart, mem)
        _close_run(hart, mem)
        if why != Leave.END:
            uop = pool.uops[hart.run.i]
            reason = call_unit(mem.serve, hart, mem, Request.HANDLE + why, uop, hart.run.target)
            if reason != Reason.RUN:
                return reason
