"""Answers for what time it is on a hart, and for charging cycles to it.

Virtual time counts cycles, or under `icount` retired instructions; idle time is added to
either.  It is the host's time: root's deadlines and the devices use it.  The guest sees the
time of its domain, which is the host's less `offset`: `time` and `cycle` derive from it, and
under `icount` also `instret`; `stimecmp` is compared with it.
"""

from toyisa.compiled.njit import njit
from toyisa.core.state import LAST_TIMER, NEVER


@njit
def virtual_time(hart):
    """Now on the host's clock, in units of virtual time."""
    busy = hart.clock.instret if hart.clock.icount else hart.clock.cycles
    return busy + hart.clock.idle


@njit
def guest_time(hart):
    """Now on the clock of the guest's domain, in units of virtual time."""
    return virtual_time(hart) - hart.clock.offset


@njit
def charge(hart, event, times):
    """`times` events of a kind (cost.Event) happened: count them and spend their cycles."""
    hart.counts.event[event] += times
    hart.clock.cycles += times * hart.price.event[event]


@njit
def timer_deadline(hart):
    """When `stimecmp` makes the timer interrupt pending, on the host's clock; or NEVER."""
    high = hart.csr.stimecmph + 0
    if high >= 1 << 20:  # later than any virtual time: per_tick is below 2**10
        return NEVER
    ticks = high << 32 | hart.csr.stimecmp
    at = ticks * hart.clock.per_tick + hart.clock.offset
    return at if at <= LAST_TIMER else NEVER


@njit
def ticks(hart):
    """The value of the `time` counter, 64 bits."""
    return guest_time(hart) // hart.clock.per_tick


@njit
def cycles_counter(hart):
    """The value of the `cycle` counter, 64 bits."""
    return guest_time(hart)


@njit
def instret_counter(hart):
    """The value of the `instret` counter, 64 bits; under icount it derives from time."""
    return guest_time(hart) if hart.clock.icount else hart.clock.instret
