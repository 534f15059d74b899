"""Answers for counting exits: how many of each kind, and what root spent on them; and for the
log.

Must not know what a kind means.
"""

import numpy as np

from toyisa.compiled.njit import njit, view
from toyisa.tables.causes import CODE_MASK
from vmm.domain.record import LOG, LOG_SIZE


@njit
def count_exit(vm, hart, began, pc):
    """Count an exit of kind `vm.vcpu.kind`, which the guest left at `began` and `pc`, and which is
    handled now.
    """
    stats, kind = vm.stats, vm.vcpu.kind
    spent = hart.clock.cycles - began
    stats.count[kind] += 1
    stats.cycles[kind] += spent
    stats.seen[kind, hart.exit.cause & CODE_MASK] = 1
    stats.least[kind] = min(stats.least[kind], spent)
    stats.most[kind] = max(stats.most[kind], spent)
    if stats.log:
        _log(vm, hart, began, kind, pc, hart.exit.cause, hart.exit.tval)


@njit
def log_shadow(vm, hart, event, first, second):
    """Log a ShadowEvent with two words, if there is a log."""
    if vm.stats.log:
        _log(vm, hart, hart.clock.cycles, event, first, np.int64(0), second)


@njit
def log_is_due(vm):
    """Whether the caller must take the log: what one exit can add still fits into the other
    half.
    """
    return vm.stats.logged >= LOG_SIZE // 2


@njit
def _log(vm, hart, at, kind, pc, cause, tval):
    stats = vm.stats
    if stats.logged < LOG_SIZE:
        line = view(stats.log, LOG_SIZE, LOG)[stats.logged]
        line.at, line.spent, line.kind = at, hart.clock.cycles - at, kind
        line.idle = hart.clock.idle
        line.pc, line.cause, line.tval = pc, cause, tval
    stats.logged += 1
