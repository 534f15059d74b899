"""Answers for a machine with many guests: harts, domains, and the loop that lets them take turns.

    host = Host(mem=256 << 20, harts=2, scheduler="credit")
    web = host.domain("web", "toyix", engine="bt", weight=512)
    host.run(until=host.ms(500))
    print(web.ran, web.output())

The hart whose clock is least goes on, so that what happens is a function of what is given.
Must not know how a policy chooses (`vmm/sched`), nor how a guest is run (`vmm/exit`).
"""

import copy
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from toyisa import ctrlc
from toyisa.core.memory import PAGE
from toyisa.core.ram import MIN_MEM
from toyisa.core.units import link
from toyisa.machine import Machine
from toyisa.tables.cost import Event
from toyisa.tables.exits import Reason
from vmm import sched
from vmm.domain.host import Platform
from vmm.hosting.agenda import NEVER, Agenda
from vmm.hosting.domain import Domain, State
from vmm.hosting.seat import Marks, Seat

QUANTUM = 100_000  # cycles after which another hart goes on
MAX_HARTS = 8
STEP = 1 << 26  # cycles at most between two looks at what the caller wants


class Watch(Protocol):
    """Who is told what happens on a host; it must not change anything."""

    def ran(self, seat: Seat, domain: Domain, began: int, ended: int) -> None:
        """The domain had this hart from one time to the other."""

    def became(self, domain: Domain, now: int) -> None:
        """The domain's state is another one from this time on."""


class Host:
    """A machine of `mem` bytes and some harts, without domains.

    `cost` is a preset of prices or a file of your own; `scheduler` the name of a policy, with
    its options; `quantum` for how many cycles a hart goes on while others wait.  ValueError
    if a size is out of range, or if there is no such policy.
    """

    def __init__(
        self,
        mem: int = 256 << 20,
        harts: int = 1,
        scheduler: str = "rr",
        cost: str = "modern",
        *,
        quantum: int = QUANTUM,
        options: dict[str, Any] | None = None,
    ):
        if not 1 <= harts <= MAX_HARTS:
            raise ValueError(f"a host has 1 to {MAX_HARTS} harts, not {harts}")
        self.platform = Platform(-(-mem // PAGE) * PAGE, harts, large=False)
        model = Machine(mem=MIN_MEM, cost=cost)  # has the prices, and sees that all is compiled
        self.cost, self.quantum = model.cost, quantum
        self.us = max(self.cost.hz // 1_000_000, 1)
        memory = self.platform.memory
        self.seats, self.marks = [], Marks(memory)
        for n, hart in enumerate(self.platform.harts):
            link(hart, memory)
            model._set_prices(hart)
            record = self.platform.records[n : n + 1]
            self.seats.append(Seat(n, hart, memory, record, self.marks))
        self.scheduler = scheduler
        self.policy = sched.make(scheduler, harts, self.us, **(options or {}))
        self.agenda = Agenda()
        self.policy.at = self._at
        self.domains: dict[str, Domain] = {}
        self.watch: Watch | None = None
        self._ran = 0              # cycles of all domains, also of those that are gone
        self._ends = [0] * harts   # when the turn on a hart is over

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

    # -- domains -------------------------------------------------------------

    def domain(
        self,
        name: str,
        kernel: str | Path | bytes,
        *,
        engine: str = "trap",
        mem: int = 16 << 20,
        weight: int = 256,
        cap: int = 0,
        pins: Iterable[int] = (),
        start: int | None = 0,
        input: bytes = b"",
        clock: str = "cycles",
        options: dict[str, Any] | None = None,
        engine_options: dict[str, Any] | None = None,
        **given: Any,
    ) -> Domain:
        """Make a domain, load its kernel, and begin it at the time `start`; None: not yet.

        `options` are the policy's; `given` are further arguments of a `VirtualMachine`, whose
        `options` are called `engine_options` here.  ValueError if the name is taken or
        there is no room; ImageError.
        """
        if name in self.domains:
            raise ValueError(f"there is a domain {name!r} already")
        platform, number = copy.copy(self.platform), self.platform.allocator.next_number
        try:
            made = Domain(
                name, self.seats[0], platform, engine=engine, mem=mem, cost=self.cost,
                clock=clock, options=engine_options, **given,
            )  # fmt: skip
            made.load(kernel)
        except Exception:
            self.seats[0].state.guest = 0
            self.seats[0].clear()
            self.platform.allocator.give_back(number)
            raise
        made.feed(input)
        made.end_input()
        made.options = options or {}
        self.domains[name] = made
        try:
            self.set(made, weight=weight, cap=cap, pins=pins)
        except ValueError:
            made.state = State.KILLED
            self.remove(made)
            raise
        if start is not None:
            self.agenda.at(start, lambda now: self.begin(made, now), made)
        return made

    def set(
        self, domain: Domain, *, weight: int | None = None, cap: int | None = None,
        pins: Iterable[int] | None = None,
    ) -> None:  # fmt: skip
        """Change a domain's part of the harts; ValueError, and then nothing has changed."""
        before = domain.weight, domain.cap, domain.pins
        try:
            self._set(domain, weight, cap, None if pins is None else frozenset(pins))
            self.policy.changed(domain, self.now)
        except ValueError:
            domain.weight, domain.cap, domain.pins = before
            raise
        for seat in self.seats:
            if seat.running is domain and not sched.may_run(domain, seat.number):
                self._ends[seat.number] = 0

    def _set(
        self, domain: Domain, weight: int | None, cap: int | None, pins: frozenset[int] | None
    ) -> None:
        if weight is not None:
            if not 1 <= weight <= 65_536:
                raise ValueError(f"a weight is 1 to 65536, not {weight}")
            domain.weight = weight
        if cap is not None:
            most = 100 * len(self.seats)
            if not 0 <= cap <= most:
                raise ValueError(f"a cap is 0 (none) to {most} per cent, not {cap}")
            domain.cap = cap
        if pins is not None:
            if not pins <= set(range(len(self.seats))):
                raise ValueError(f"the harts are 0 to {len(self.seats) - 1}")
            domain.pins = pins

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

    def remove(self, domain: Domain) -> None:
        """A domain that is over: its memory is free again, and its name."""
        if not domain.over:
            raise ValueError(f"{domain.name!r} still runs: kill it first")
        for seat in self.seats:
            seat.forget(domain)
        self.marks.guests.pop(domain.address)
        self.agenda.forget(domain)
        self.platform.allocator.give_back(domain.number)
        del self.domains[domain.name]

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
