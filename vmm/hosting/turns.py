"""Answers for who has which hart: domains wake, take turns on the harts, and sleep.

The hart whose clock is least goes on, so that what happens is a function of what is given.
Must not know how a policy chooses (`vmm/sched`), how a guest is run (`vmm/exit`), nor how a
domain is made (`host.py`).
"""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from toyisa import ctrlc
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from vmm import sched
from vmm.hosting.agenda import NEVER, Agenda
from vmm.hosting.domain import Domain, State
from vmm.hosting.seat import Seat

STEP = 1 << 26  # cycles at most between two looks at what the caller wants


class Watch(Protocol):
    """Who is told what happens on a host; it must not change anything."""

    def ran(self, seat: Seat, domain: Domain, began: int, ended: int) -> None:
        """The domain had this hart from one time to the other."""

    def became(self, domain: Domain, now: int) -> None:
        """The domain's state is another one from this time on."""


class Turns:
    """Harts, the domains that share them by a policy, and what is to happen when.

    `us` is how many cycles a microsecond has; `quantum` for how many cycles a hart goes on
    while others wait.
    """

    def __init__(self, seats: list[Seat], policy: sched.Policy, us: int, quantum: int):
        self.seats, self.policy, self.us, self.quantum = seats, policy, us, quantum
        self.agenda = Agenda()
        policy.at = self._at
        self.domains: dict[str, Domain] = {}
        self.watch: Watch | None = None
        self._ran = 0                   # cycles of all domains, also of those that are gone
        self._ends = [0] * len(seats)   # when the turn on a hart is over

    def ms(self, milliseconds: float) -> int:
        """So many milliseconds in cycles."""
        return int(milliseconds * 1000 * self.us)

    @property
    def root_cycles(self) -> int:
        """What root has spent on taking turns, and on making domains: for no domain."""
        return sum(seat.busy for seat in self.seats) - self._ran

    @property
    def now(self) -> int:
        """Virtual time: up to here every hart has come."""
        return min(seat.time for seat in self.seats)

    def begin(self, domain: Domain, now: int) -> None:
        """A new or a paused domain may run."""
        if domain.state is State.NEW:
            domain.began = now
        if domain.state in (State.NEW, State.PAUSED):
            self._ready(domain, now, woken=False)

    def pause(self, domain: Domain, now: int) -> None:
        """The domain does not run until it is begun again."""
        if not domain.over and domain.state is not State.PAUSED:
            self._gone(domain, now, State.PAUSED)

    def kill(self, domain: Domain, now: int) -> None:
        """End the domain."""
        if not domain.over:
            self._gone(domain, now, State.KILLED)

    def _at(self, time: int, act: Callable[[int], Iterable[int]]) -> None:
        """What a policy wants at a time; the turns on the harts that it returns are over."""

        def done(now: int) -> None:
            for hart in act(now):
                self._ends[hart] = 0

        self.agenda.at(time, done)

    # -- states --------------------------------------------------------------

    def _ready(self, domain: Domain, now: int, woken: bool) -> None:
        domain.ready_since, domain.woken = now, woken
        self._become(domain, State.READY, now)
        domain.wakes += 1
        self.policy.ready(domain, now, woken)
        seats = [seat for seat in self.seats if sched.may_run(domain, seat.number)]
        free = sum(not seat.running for seat in seats)
        waits = sum(other.state is State.READY for other in self.domains.values()) if free else 1
        if waits <= free:
            return
        for seat in seats:
            if seat.running and self.policy.preempts(domain, seat.running, now):
                self._ends[seat.number] = 0
                break

    def _gone(self, domain: Domain, now: int, state: State) -> None:
        if domain.state in (State.READY, State.RUNNING):
            self.policy.gone(domain, now)
        for seat in self.seats:
            if seat.running is domain:
                seat.running = None
        self._become(domain, state, now)
        domain.wakes += 1
        if domain.over:
            domain.ended_at = now
            self.policy.left(domain, now)

    def _sleep(self, domain: Domain, seat: Seat) -> None:
        now = seat.time
        self._gone(domain, now, State.ASLEEP)
        domain.sleeps += 1
        wakes, pause = domain.wakes, domain.sleep_ends(now)
        if pause >= NEVER:
            return

        def wake(at: int) -> None:
            if domain.wakes == wakes and domain.state is State.ASLEEP:
                domain.sleep_on(pause)
                self._ready(domain, at, woken=True)

        self.agenda.at(now + pause, wake, domain)

    def _become(self, domain: Domain, state: State, now: int) -> None:
        domain.state = state
        if self.watch:
            self.watch.became(domain, now)

    # -- running -------------------------------------------------------------

    def run(self, until: int | None = None, seconds: float | None = None) -> str:
        """Run up to a virtual time, or for so many seconds of the real one.

        Returns "time", "seconds", or "over": no domain will ever run again.  Ctrl-C leaves a
        host that can be run on.
        """
        end = None if seconds is None else time.monotonic() + seconds
        until = NEVER if until is None else until
        with ctrlc.held() as look:
            while True:
                look()
                seat = min(self.seats, key=lambda seat: (seat.time, seat.number))
                now = seat.time
                if now >= until:
                    return "time"
                self.agenda.due(now)
                running = self._choose(seat, now)
                if running:
                    self._let_run(seat, running, until)
                elif not self._let_wait(seat, until):
                    return "over"
                if end is not None and time.monotonic() >= end:
                    return "seconds"

    def _choose(self, seat: Seat, now: int) -> Domain | None:
        """Who runs on this hart now."""
        running = seat.running
        if running and now < self._ends[seat.number]:
            return running
        if running:
            running.ready_since, running.woken = now, False
            self._become(running, State.READY, now)
            seat.running = None
            self.policy.back(running, now)
        turn = self.policy.pick(seat.number, now)
        if turn is None:
            return None
        domain = turn.domain
        if domain is not running:
            if running:  # root's timer has taken the hart from it
                seat.charge(Event.ROOT_CROSS)
            domain.switches += 1
            domain.moves += domain.seat is not None and domain.seat is not seat
            domain.seat = seat
        waited = now - domain.ready_since
        domain.stolen += waited
        if domain.woken:
            domain.note_latency(waited)
            domain.woken = False
        seat.running = domain
        self._become(domain, State.RUNNING, now)
        self._ends[seat.number] = now + max(turn.span, 1)
        return domain

    def _let_run(self, seat: Seat, domain: Domain, until: int) -> None:
        now = seat.time
        span = min(self._ends[seat.number], self.agenda.next, until, now + STEP) - now
        if len(self.seats) > 1:
            span = min(span, self.quantum)
        why = seat.run(domain, max(span, 1))
        if why not in (Reason.BUDGET, Reason.WAIT):
            why = domain.finish(why)
        spent, now = seat.spent, seat.time
        domain.ran += spent
        self._ran += spent
        self.policy.ran(domain, spent, now)
        if self.watch:
            self.watch.ran(seat, domain, now - spent, now)
        match why:
            case Reason.BUDGET:
                if domain.spent_all:
                    self._gone(domain, now, State.PAUSED)
            case Reason.WAIT:
                self._sleep(domain, seat)
            case Reason.HALTED:
                self._gone(domain, now, State.ENDED)
            case _:
                self._gone(domain, now, State.CRASHED)

    def _let_wait(self, seat: Seat, until: int) -> bool:
        """Nobody runs on this hart: it waits for what comes next; False if nothing will."""
        others = [other.time for other in self.seats if other.running]
        comes = min([self.agenda.next, *(time + self.quantum for time in others)])
        if comes >= NEVER:
            comes = until
        if comes >= NEVER:
            return False
        seat.wait(max(min(comes, until), seat.time + 1))
        return True
