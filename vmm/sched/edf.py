"""Earliest deadline first: a domain has a slice of each period, whatever the others do.

As Xen's RTDS: a slice is a deferrable server, so a domain that sleeps keeps what is left of it
until the period is over.  Deadlines are the ends of periods.  If all slices together need no
more than one hart has, each domain gets its slice in time; nobody checks that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from vmm.sched import Policy, Share, Turn, may_run
from vmm.sched.options import known, whole

NEVER = 1 << 62
OPTIONS = ("period_us", "slice_us", "extra")


@dataclass(slots=True)
class Reserve:
    """What a domain is promised, and what it has of that; without a period, nothing."""

    period: int = 0
    slice: int = 0
    extra: bool = True   # it also runs when nobody needs its own slice
    budget: int = 0      # what is left of the slice
    deadline: int = -1   # when the period is over; -1: the first one has not begun
    asked: int = 0       # the deadline at which it will be looked at
    serving: bool = False  # it runs, or would run, in its slice
    hart: int = -1       # where it runs

    @property
    def key(self) -> int:
        """The least runs first."""
        return self.deadline if self.serving else NEVER

    def renew(self, now: int) -> None:
        """A new slice, if the period is over."""
        if self.period and now >= self.deadline:
            self.deadline = now if self.deadline < 0 else self.deadline
            self.deadline += ((now - self.deadline) // self.period + 1) * self.period
            self.budget = self.slice
        self.serving = self.budget > 0


class EarliestDeadlineFirst(Policy):
    """Options of a domain: `period_us` and `slice_us`; `extra` = false: not more than that.

    Domains without a slice, and those that have used theirs, take turns of `turn_us` when nobody
    has a slice to run.  Weights and caps mean nothing here.
    """

    def __init__(self, harts: int, us: int, turn_us: int = 5_000):
        super().__init__(harts, us)
        self.turn = whole({"turn_us": turn_us}, "turn_us", 0, 1, "scheduler edf") * us
        self.waiting: list[Share] = []
        self.on: list[Share | None] = [None] * harts

    def changed(self, domain: Share, now: int) -> None:
        where, given = f"domain {domain.name!r}", domain.options
        known(given, OPTIONS, where)
        period = whole(given, "period_us", 0, 0, where) * self.us
        span = whole(given, "slice_us", 0, 0, where) * self.us
        extra = given.get("extra", True)
        if span > period or (period and not span):
            raise ValueError(f"{where}: slice_us is 1 to period_us, and both are given or neither")
        if not isinstance(extra, bool):
            raise ValueError(f"{where}: extra is true or false, not {extra!r}")
        if not extra and not period:
            raise ValueError(f"{where}: without a slice and extra turns it would never run")
        mine = domain.mine = domain.mine or Reserve()
        mine.period, mine.slice, mine.extra = period, span, extra  # from the next period on
        if not period:
            mine.budget = 0

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        domain.mine.renew(now)
        self._wait(domain)

    def back(self, domain: Share, now: int) -> None:
        mine: Reserve = domain.mine
        self.on[mine.hart] = None
        mine.renew(now)
        self._wait(domain)

    def _wait(self, domain: Share) -> None:
        self.waiting.append(domain)
        mine: Reserve = domain.mine
        if mine.period and not mine.serving and mine.asked != mine.deadline:
            mine.asked = mine.deadline
            self.at(mine.deadline, partial(self._renewed, domain))

    def gone(self, domain: Share, now: int) -> None:
        hart = domain.mine.hart
        if domain is self.on[hart]:
            self.on[hart] = None
        else:
            self.waiting = [other for other in self.waiting if other is not domain]

    def ran(self, domain: Share, spent: int, now: int) -> None:
        domain.mine.budget -= spent  # also in an extra turn: the next period has a new slice

    def pick(self, hart: int, now: int) -> Turn | None:
        for domain in self.waiting:
            domain.mine.renew(now)
        may = [
            domain for domain in self.waiting
            if may_run(domain, hart) and (domain.mine.serving or domain.mine.extra)
        ]  # fmt: skip
        if not may:
            return None
        chosen = min(may, key=lambda domain: domain.mine.key)
        self.waiting = [other for other in self.waiting if other is not chosen]
        mine: Reserve = chosen.mine
        mine.hart, self.on[hart] = hart, chosen
        return Turn(chosen, min(mine.budget, mine.deadline - now) if mine.serving else self.turn)

    def preempts(self, woken: Share, running: Share, now: int) -> bool:
        return running is self._last(woken) and woken.mine.key < running.mine.key

    def _last(self, woken: Share) -> Share | None:
        """Who has the latest deadline of those that run where this one may."""
        there = [domain for domain in self.on if domain and may_run(woken, domain.mine.hart)]
        return max(there, key=lambda domain: domain.mine.key, default=None)

    def _renewed(self, domain: Share, now: int) -> Iterable[int]:
        """A domain that has used its slice may have a new one: who makes room?"""
        mine: Reserve = domain.mine
        if domain in self.on:
            return [mine.hart]  # its turn is another one from now on
        if domain not in self.waiting:
            return []
        mine.renew(now)
        if any(self.on[hart] is None and may_run(domain, hart) for hart in range(self.harts)):
            return []
        last = self._last(domain)
        return [last.mine.hart] if last and mine.key < last.mine.key else []


POLICY = EarliestDeadlineFirst
