"""A host in plain Python, for tests of policies: domains that only want to run and to sleep.

It does what `vmm/hosting/turns.py` does, in its order, without a machine.
"""

from collections.abc import Callable
from typing import Any

from vmm import sched
from vmm.hosting.agenda import NEVER, Agenda

US = 10
MS = 1000 * US
QUANTUM = 2_000


class Fake:
    """A domain: `wants(now)`, when it wakes, is up to when it runs, and for how long at most."""

    def __init__(self, name: str, weight: int = 256, cap: int = 0, pins=(), **options: Any):
        self.name, self.weight, self.cap, self.pins = name, weight, cap, frozenset(pins)
        self.options, self.mine = options, None
        self.wants: Callable[[int], tuple[int, int]] = lambda now: (NEVER, NEVER)
        self.rests: Callable[[int], int] = lambda now: NEVER  # until when it sleeps
        self.state = "new"
        self.until = self.need = NEVER
        self.ran = self.turns = 0
        self.waited = 0  # the longest time
        self.since = 0
        self.latencies: list[int] = []
        self.harts: set[int] = set()
        self.woken = False

    def periodic(self, burst: int, period: int) -> "Fake":
        """It wants to run for `burst` in each period."""
        self.wants = lambda now: (NEVER, burst)
        self.rests = lambda now: (now // period + 1) * period
        return self

    def thief(self, tick: int, before: int) -> "Fake":
        """It runs whenever it can, but sleeps at each multiple of `tick`."""
        self.wants = lambda now: ((now // tick + 1) * tick - before, NEVER)
        self.rests = lambda now: -(-now // tick) * tick + before
        return self


class FakeHost:
    """Harts, and domains that take turns on them."""

    conserves = False  # it is checked that no hart idles while a domain could run there

    def __init__(self, policy: str, *domains: Fake, harts: int = 1, **options: Any):
        self.policy = sched.make(policy, harts, US, **options)
        self.policy.at = self._at
        self.agenda = Agenda()
        self.times, self.idle = [0] * harts, [0] * harts
        self.running: list[Fake | None] = [None] * harts
        self.ends = [0] * harts
        self.domains: list[Fake] = []
        self.looks: list[Callable[[], None]] = []  # done after each step
        for domain in domains:
            self.add(domain)

    def add(self, domain: Fake, start: int = 0) -> Fake:
        self.domains.append(domain)
        self.policy.changed(domain, self.now)
        self.agenda.at(start, lambda now: self._wake(domain, now, False))
        return domain

    @property
    def now(self) -> int:
        return min(self.times)

    def run(self, until: int) -> None:
        while (now := self.now) < until:
            hart = self.times.index(now)
            self.agenda.due(now)
            domain = self._choose(hart, now)
            if domain:
                self._let_run(hart, domain, until)
            else:
                self._let_wait(hart, until)
            for look in self.looks:
                look()

    def set(self, domain: Fake, **changed: Any) -> None:
        for name, value in changed.items():
            setattr(domain, name, value)
        self.policy.changed(domain, self.now)
        for hart, running in enumerate(self.running):
            if running is domain and not sched.may_run(domain, hart):
                self.ends[hart] = 0

    def stop(self, domain: Fake) -> None:
        """It is over."""
        self._gone(domain, self.now)
        domain.state = "over"
        self.policy.left(domain, self.now)

    def _at(self, time, act) -> None:
        def done(now):
            for hart in act(now):
                self.ends[hart] = 0

        self.agenda.at(time, done)

    def _wake(self, domain: Fake, now: int, woken: bool) -> None:
        if domain.state == "over":
            return
        domain.state, domain.since, domain.woken = "ready", now, woken
        domain.until, domain.need = domain.wants(now)
        self.policy.ready(domain, now, woken)
        harts = [h for h in range(len(self.times)) if sched.may_run(domain, h)]
        free = sum(not self.running[hart] for hart in harts)
        if free and sum(other.state == "ready" for other in self.domains) <= free:
            return
        for hart in harts:
            if self.running[hart] and self.policy.preempts(domain, self.running[hart], now):
                self.ends[hart] = 0
                break

    def _gone(self, domain: Fake, now: int) -> None:
        if domain.state in ("ready", "running"):
            self.policy.gone(domain, now)
        self.running = [None if other is domain else other for other in self.running]

    def _choose(self, hart: int, now: int) -> Fake | None:
        running = self.running[hart]
        if running and now < self.ends[hart]:
            return running
        if running:
            running.state, running.since, running.woken = "ready", now, False
            self.running[hart] = None
            self.policy.back(running, now)
        turn = self.policy.pick(hart, now)
        if turn is None:
            assert not self.conserves or not [
                d for d in self.domains if d.state == "ready" and sched.may_run(d, hart)
            ]
            return None
        domain = turn.domain
        assert domain.state == "ready"
        assert sched.may_run(domain, hart)
        domain.turns += domain is not running
        domain.harts.add(hart)
        domain.waited = max(domain.waited, now - domain.since)
        if domain.woken:
            domain.latencies.append(now - domain.since)
        domain.state, domain.woken = "running", False
        self.running[hart] = domain
        self.ends[hart] = now + max(turn.span, 1)
        return domain

    def _let_run(self, hart: int, domain: Fake, until: int) -> None:
        now = self.times[hart]
        span = min(self.ends[hart], self.agenda.next, until, domain.until) - now
        span = max(min(span, domain.need, QUANTUM if len(self.times) > 1 else NEVER), 1)
        span += (now >> 3) % 3  # an instruction is not cut in two
        domain.ran += span
        domain.need -= span
        self.times[hart] = now = now + span
        self.policy.ran(domain, span, now)
        if domain.need <= 0 or now >= domain.until:
            self._gone(domain, now)
            domain.state = "asleep"
            wakes = domain.rests(now)
            if wakes < NEVER:
                self.agenda.at(wakes, lambda now: self._wake(domain, now, True))

    def _let_wait(self, hart: int, until: int) -> None:
        here = self.times[hart]
        others = [time + 1 for n, time in enumerate(self.times) if self.running[n] and time >= here]
        comes = min([self.agenda.next, until, *others])
        self.idle[hart] += max(comes - here, 1)
        self.times[hart] += max(comes - here, 1)
