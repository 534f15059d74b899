"""Answers for one domain: a virtual machine that shares its machine with others.

Must not know who runs when (`host.py`, `vmm/sched`).
"""

from enum import StrEnum
from typing import Any

import numpy as np

from toyisa.machine import Exit
from toyisa.tables.exits import Reason
from vmm.domain.host import Platform
from vmm.hosting.agenda import NEVER
from vmm.hosting.seat import Seat, field_of
from vmm.hosting.turn import PRINTED
from vmm.machine import VirtualMachine

BINS = 48  # of the histogram of latencies: bin n counts those below 2**n cycles


class State(StrEnum):
    """What a domain does."""

    NEW = "new"          # it has not been begun
    READY = "ready"      # it could run, and another one has the hart
    RUNNING = "running"
    ASLEEP = "asleep"    # it waits for its timer, or for input
    PAUSED = "paused"
    ENDED = "ended"      # it has turned itself off: `code`
    CRASHED = "crashed"  # it cannot go on: `reason`
    KILLED = "killed"


OVER = (State.ENDED, State.CRASHED, State.KILLED)


class Domain(VirtualMachine):
    """A guest on a host, which makes it: `Host.domain`.

    `ran` is for how many cycles it had a hart, with what root did for it; `stolen` for how
    many it could have run and another one did; `switches` how often it got a hart, `moves`
    how often another hart than before, `sleeps` how often it slept.  `latency[n]` counts the
    times from waking to running that took less than 2**n cycles, and at least half of that.
    """

    def __init__(self, name: str, seat: Seat, platform: Platform, **given: Any):
        self.name = name
        self.weight, self.cap = 256, 0
        self.pins: frozenset[int] = frozenset()
        self.mine: Any = None
        self.options: dict[str, Any] = {}
        self.state = State.NEW
        self.seat: Seat | None = None  # on which it ran last
        self.ran = self.stolen = self.switches = self.moves = self.sleeps = 0
        self.began = self.ended_at = 0
        self.latency = np.zeros(BINS, np.int64)
        self.ready_since = 0
        self.woken = False
        self.budget = NEVER  # after so many instructions in all it is paused
        self.wakes = 0  # a wake-up that was arranged before is not meant any more
        seat.clear()
        super().__init__(host=platform, **given)
        self.address = 0  # of its record: `Seat.seat`
        seat.seat(self)
        self.hart.root.waits = 1
        self._wake = field_of(self.hart, "root.wake")
        self._instret, self._idle = (field_of(self.hart, f"clock.{n}") for n in ("instret", "idle"))
        self.has_own_time = self.clock == "icount"

    def finish(self, why: int) -> Reason:
        """Do in Python what it has stopped for; why it stops, if it does not go on."""
        reason = Reason(self.left(why & PRINTED - 1))
        if reason in (Reason.BUDGET, Reason.WAIT, Reason.HALTED):
            return reason
        if reason in (Reason.LOOK, Reason.OUTPUT, Reason.INPUT, Reason.DEVICE):
            left = None if self.budget >= NEVER else max(self.budget - self.instret, 0)
            answer = self.run(left)
        else:
            answer = self._answer(reason)
        match answer:
            case Exit.HALTED:
                return Reason.HALTED
            case Exit.WAITS | Exit.IDLE | Exit.INPUT:
                return Reason.WAIT
            case Exit.BUDGET | Exit.OUTPUT:
                return Reason.BUDGET
        return Reason.STUCK

    @property
    def own_time(self) -> int:
        """Its own virtual time, if it counts instructions."""
        return self._instret.value + self._idle.value

    @property
    def spent_all(self) -> bool:
        """Whether its budget of instructions is used up."""
        return self.budget < NEVER and self._instret.value >= self.budget

    def sleep_ends(self, now: int) -> int:
        """How long its sleep lasts from now on, which is the host's time; or NEVER."""
        wake = self._wake.value
        if wake >= NEVER:
            return NEVER
        return max(wake - (self.own_time if self.has_own_time else now), 0)

    def sleep_on(self, cycles: int) -> None:
        """It has slept so long: if it has time of its own, that has passed."""
        if self.has_own_time:
            self._idle.value += cycles

    @property
    def over(self) -> bool:
        """Whether it will never run again."""
        return self.state in OVER

    def note_latency(self, cycles: int) -> None:
        """It ran so long after it was woken."""
        self.latency[min(int(cycles).bit_length(), BINS - 1)] += 1
