"""Answers for counting exits: how many of each kind, and what root spent on them.

Must not know what a kind means.
"""

from toyisa.njit import njit
from vmm.vcpu import TIMELINE


@njit
def count_exit(vm, hart, began, pc):
    """An exit of kind `vm.kind`, left at `began` and `pc`, has been handled by now."""
    stats, kind = vm.stats, vm.kind
    spent = hart.clock.cycles - began
    stats.count[kind] += 1
    stats.cycles[kind] += spent
    stats.least[kind] = min(stats.least[kind], spent)
    stats.most[kind] = max(stats.most[kind], spent)
    if stats.logging:
        place = stats.logged & (TIMELINE - 1)
        stats.log_at[place], stats.log_cycles[place] = began, spent
        stats.log_kind[place], stats.log_pc[place] = kind, pc
        stats.logged += 1
