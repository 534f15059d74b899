"""Xen's credit scheduler: domains spend credits while they run, and earn them by weight.

300 credits are a slice of 30 ms, and each hart hands out as many in 30 ms.  Who has some left is
UNDER and runs before those that are OVER; who wakes while it is UNDER gets a BOOST.  Credits are
counted in cycles here, so nothing is lost by rounding.
"""

from collections.abc import Iterable
from functools import partial

from vmm.sched import Policy, Share, Turn, may_run
from vmm.sched.earning import Credit, Priority, earn
from vmm.sched.options import known, whole

SLICE_MS, TICK_MS, RATELIMIT_US = 30, 10, 1_000
PER_ACCOUNT = SLICE_MS // TICK_MS
ACCOUNTING = ("exact", "sampled")


class CreditScheduler(Policy):
    """`accounting` is "exact", or "sampled": who runs at a tick pays for all the time before it.

    Xen began with the sampled one.  It can be robbed: who sleeps at each tick never pays.
    `ratelimit_us` is how long a domain runs before another one that wakes takes its place; Xen
    had no such limit while it sampled.
    """

    def __init__(
        self, harts: int, us: int, accounting: str = "exact", ratelimit_us: int | None = None
    ):
        super().__init__(harts, us)
        if accounting not in ACCOUNTING:
            raise ValueError(
                f"scheduler credit: accounting is {' or '.join(ACCOUNTING)}, not {accounting!r}"
            )
        self.sampled = accounting == "sampled"
        usual = 0 if self.sampled else RATELIMIT_US
        given = {"ratelimit_us": usual if ratelimit_us is None else ratelimit_us}
        self.ratelimit = whole(given, "ratelimit_us", usual, 0, "scheduler credit") * us
        self.slice, self.tick = SLICE_MS * 1000 * us, TICK_MS * 1000 * us
        self.domains: dict[Share, Credit] = {}
        self.waiting: list[Share] = []
        self.on: list[Share | None] = [None] * harts
        self.balance = 0     # of all that are active
        self.ticking = False
        self.ticks = 0       # how many have been, since time 0

    # -- what happens to domains ---------------------------------------------

    def changed(self, domain: Share, now: int) -> None:
        known(domain.options, (), f"domain {domain.name!r}")
        mine = domain.mine = domain.mine or Credit(left=self.slice)
        self.domains[domain] = mine
        mine.parked &= domain.cap > 0

    def left(self, domain: Share, now: int) -> None:
        self.domains.pop(domain, None)

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        if not self.ticking:
            self._resume(now)
        mine: Credit = domain.mine
        if woken and mine.priority is Priority.UNDER and not mine.parked:
            mine.priority = Priority.BOOST
        self.waiting.append(domain)

    def back(self, domain: Share, now: int) -> None:
        mine: Credit = domain.mine
        self.on[mine.hart], mine.stopped = None, now
        if mine.left > 0:
            self.waiting.insert(0, domain)
        else:
            mine.left = self.slice
            self.waiting.append(domain)

    def gone(self, domain: Share, now: int) -> None:
        mine: Credit = domain.mine
        if domain is self.on[mine.hart]:
            self.on[mine.hart] = None
        else:
            self.waiting = [other for other in self.waiting if other is not domain]
        mine.left = self.slice

    def ran(self, domain: Share, spent: int, now: int) -> None:
        mine: Credit = domain.mine
        mine.left -= spent
        if not self.sampled:
            mine.credit -= spent
            mine.active = True

    # -- who runs ------------------------------------------------------------

    def pick(self, hart: int, now: int) -> Turn | None:
        may = [d for d in self.waiting if not d.mine.parked and may_run(d, hart)]
        if not may:
            return None
        chosen = min(may, key=lambda domain: domain.mine.priority)
        self.waiting = [other for other in self.waiting if other is not chosen]
        mine: Credit = chosen.mine
        if mine.hart != hart or mine.stopped != now:  # it does not just go on
            mine.since = now
        mine.hart, self.on[hart] = hart, chosen
        return Turn(chosen, mine.left)

    def preempts(self, woken: Share, running: Share, now: int) -> bool:
        there = [domain for domain in self.on if domain and may_run(woken, domain.mine.hart)]
        mine: Credit = running.mine
        if running is not max(there, key=lambda domain: domain.mine.priority):
            return False
        if woken.mine.parked or woken.mine.priority >= mine.priority:
            return False
        early = mine.since + self.ratelimit
        if now < early:
            self.at(early, partial(self._late, running, mine.since))
            return False
        return True

    def _late(self, running: Share, since: int, now: int) -> Iterable[int]:
        """The domain has run for long enough."""
        mine: Credit = running.mine
        same = running is self.on[mine.hart] and mine.since == since
        return [mine.hart] if same and self._yields(mine.hart) else []

    def _yields(self, hart: int) -> bool:
        """Whether who runs on this hart should make room for one that waits."""
        running = self.on[hart]
        if running is None:
            return False
        mine: Credit = running.mine
        return mine.parked or any(
            other.mine.priority < mine.priority and not other.mine.parked and may_run(other, hart)
            for other in self.waiting
        )

    # -- ticks and accounts --------------------------------------------------

    def _resume(self, now: int) -> None:
        """Ticks go on: while nobody was ready, domains that sleep have earned nevertheless."""
        before, self.ticks, self.ticking = self.ticks, now // self.tick, True
        for _ in range(self.ticks // PER_ACCOUNT - before // PER_ACCOUNT):
            if not self._account():
                break
        self.at((self.ticks + 1) * self.tick, self._tick)

    def _tick(self, now: int) -> Iterable[int]:
        before, self.ticks = self.ticks, now // self.tick
        for domain in self.on:
            if domain:
                mine: Credit = domain.mine
                mine.active = True
                mine.priority = max(mine.priority, Priority.UNDER)
                if self.sampled:
                    mine.credit -= self.tick
        if self.ticks // PER_ACCOUNT != before // PER_ACCOUNT:
            self._account()
        self.ticking = bool(self.waiting or any(self.on))
        if self.ticking:
            self.at((self.ticks + 1) * self.tick, self._tick)
        return [hart for hart in range(self.harts) if self._yields(hart)]

    def _account(self) -> bool:
        """The end of a slice: False if nobody has earned any credits."""
        active = [domain for domain, mine in self.domains.items() if mine.active]
        # In the sampled account a domain may be idle although it has just been seen to run.
        runnable = set() if self.sampled else {*self.waiting, *self.on}
        self.balance = earn(active, runnable, self.harts, self.slice, self.balance)
        return bool(active)


POLICY = CreditScheduler
