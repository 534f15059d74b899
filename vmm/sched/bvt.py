"""Borrowed virtual time: who has had least runs, and who wakes borrows from what it will get.

Duda and Cheriton 1999, with the values of Xen 3.0.2.  A domain's actual virtual time A grows
by m for each begun `mcu` that it runs, and m is inversely proportional to its weight.  The
domain with the least effective time runs: E = A, or A - W while the domain is warped.
"""

from collections.abc import Iterable
from functools import partial
from math import inf

from vmm.sched import Policy, Share, Turn, may_run
from vmm.sched.options import known, whole
from vmm.sched.virtual import Virtual

OPTIONS = ("warp_us", "warp_limit_us", "unwarp_us")
SCALE = 1 << 40  # m of a domain of weight 1; so large that division loses nothing that counts
NORMAL = 256     # W is given as time that a domain of this weight runs


class BorrowedVirtualTime(Policy):
    """`mcu_us` is the unit in which domains pay, `ctx_us` is C, the context-switch allowance.

    Options of a domain: `warp_us` (W; 0: it never warps), `warp_limit_us` (L), `unwarp_us` (U).
    """

    def __init__(self, harts: int, us: int, mcu_us: int = 100, ctx_us: int = 5_000):
        super().__init__(harts, us)
        given = {"mcu_us": mcu_us, "ctx_us": ctx_us}
        self.mcu = whole(given, "mcu_us", 0, 1, "scheduler bvt") * us
        self.ctx = whole(given, "ctx_us", 0, 10, "scheduler bvt") * us
        self.waiting: dict[Share, Virtual] = {}
        self.on: list[Share | None] = [None] * harts
        self.times = [0] * harts  # SVT of each hart; it never goes back

    # -- what happens to domains ---------------------------------------------

    def changed(self, domain: Share, now: int) -> None:
        where, given = f"domain {domain.name!r}", domain.options
        known(given, OPTIONS, where)
        warp = whole(given, "warp_us", 0, 0, where) * self.us * (SCALE // NORMAL) // self.mcu
        limit = whole(given, "warp_limit_us", 2_000_000, 0, where) * self.us
        pause = whole(given, "unwarp_us", 1_000_000, 0, where) * self.us
        mine = domain.mine = domain.mine or Virtual(domain.pins)
        mine.m, mine.warp, mine.limit, mine.pause = SCALE // domain.weight, warp, limit, pause
        if mine.pins != domain.pins:  # virtual times of other harts say nothing of these
            mine.pins = domain.pins
            mine.set(self._time(domain))
        else:
            mine.set(mine.actual)
        mine.restart()
        if domain in self.on:  # its turn was as long as the old weight said
            mine.ends = now
            self.at(now, partial(self._over, domain, now))

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        mine: Virtual = domain.mine
        # A wake warps, if it may; so what it had before is over since it blocked.
        mine.warped, mine.warm = woken and mine.warp > 0 and now >= mine.cold_until, 0
        mine.set(max(mine.actual, self._time(domain)))
        first = {domain: mine} if woken else {}  # of those with the same E, as in Xen
        self.waiting = {**first, **self.waiting, domain: mine}
        self._shorten(domain, now)

    def back(self, domain: Share, now: int) -> None:
        hart = domain.mine.hart
        self.on[hart], self.waiting[domain] = None, domain.mine
        if not may_run(domain, hart):  # its pins are others now
            self._shorten(domain, now)

    def gone(self, domain: Share, now: int) -> None:
        first = next(iter(self.waiting), domain)
        if first is domain or first.pins:  # otherwise that one keeps the time of each hart
            self._advance()
        if not self.waiting.pop(domain, None):
            self.on[domain.mine.hart] = None

    def ran(self, domain: Share, spent: int, now: int) -> None:
        mine: Virtual = domain.mine
        mine.used += spent
        if mine.warped:
            mine.warm += spent
            if mine.limit and mine.warm >= mine.limit:
                mine.warped, mine.cold_until = False, now + mine.pause
        mine.set(mine.base + -(-mine.used // self.mcu) * mine.m)

    # -- who runs ------------------------------------------------------------

    def pick(self, hart: int, now: int) -> Turn | None:
        chosen = after = None  # the least E and the next; if equal, who comes first
        for domain, mine in self.waiting.items():
            if not may_run(domain, hart):
                pass
            elif chosen is None or mine.effective < chosen.mine.effective:
                chosen, after = domain, chosen
            elif after is None or mine.effective < after.mine.effective:
                after = domain
        if chosen is None:
            return None
        mine = self.waiting.pop(chosen)
        if after and self.harts > 1:
            mine.set(max(mine.actual, self._floor(hart)))
        span = self._span(mine, after.mine) if after else 10 * self.ctx
        if mine.warped and mine.limit:
            span = min(span, mine.limit - mine.warm)
        mine.restart()
        mine.hart, mine.ends = hart, now + span
        self.on[hart] = chosen
        return Turn(chosen, span)

    def preempts(self, woken: Share, running: Share, now: int) -> bool:
        # Also if they are equal: the one that runs will have more at once.
        return running is self._last(woken) and woken.mine.effective <= running.mine.effective

    def _span(self, runs: Virtual, after: Virtual) -> int:
        """For how long the first runs, until the other one should."""
        ahead = max(after.effective - runs.effective, 0)
        return self.mcu * -(-ahead // runs.m) + self.ctx

    def _last(self, woken: Share) -> Share | None:
        """Who has the largest E of those that run where this one may."""
        there = [domain for domain in self.on if domain and may_run(woken, domain.mine.hart)]
        return max(there, key=lambda domain: domain.mine.effective, default=None)

    def _shorten(self, woken: Share, now: int) -> None:
        """Who runs did not know of this domain when its turn began."""
        running = self._last(woken)
        if running is None:
            return
        mine: Virtual = running.mine
        ends = now + self._span(mine, woken.mine)
        if ends < mine.ends:
            mine.ends = ends
            self.at(ends, partial(self._over, running, ends))

    def _over(self, domain: Share, ends: int, now: int) -> Iterable[int]:
        mine: Virtual = domain.mine
        return [mine.hart] if domain is self.on[mine.hart] and mine.ends == ends else []

    # -- the scheduler's virtual time ----------------------------------------

    def _advance(self, besides: Share | None = None) -> None:
        """SVT is the least A of those that can run; each hart has its own, because of pins."""
        least: dict[frozenset[int], int] = {}
        for domain in (*self.waiting, *self.on):
            if domain is not None and domain is not besides:
                mine: Virtual = domain.mine
                if mine.actual < least.get(mine.pins, inf):
                    least[mine.pins] = mine.actual
        for hart, time in enumerate(self.times):
            there = (actual for pins, actual in least.items() if not pins or hart in pins)
            self.times[hart] = max(time, min(there, default=0))

    def _time(self, domain: Share) -> int:
        """Where a domain begins: on no hart does it come before all others for long."""
        self._advance(domain)
        return max(self.times[hart] for hart in domain.pins or range(self.harts))

    def _floor(self, hart: int) -> int:
        """The least A that who runs next on this hart may have.

        A domain whose weight is more than a hart can give always runs, and yet its A falls behind
        without end; were weights changed then, the others would starve.  So nobody falls behind by
        more than a turn on each hart, and W, put others ahead.
        """
        turn = self.harts * (self.ctx // self.mcu + 2) + 1
        there = [mine for domain, mine in self.waiting.items() if may_run(domain, hart)]
        return min(mine.actual - mine.warp - turn * mine.m for mine in there)


POLICY = BorrowedVirtualTime
