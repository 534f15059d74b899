"""Round robin: domains take turns of the same length, whatever their weights."""

from vmm.sched import Policy, Share, Turn, may_run
from vmm.sched.options import known, whole


class RoundRobin(Policy):
    """Each domain runs for `slice_us`, in the order in which they began to wait."""

    def __init__(self, harts: int, us: int, slice_us: int = 5_000):
        super().__init__(harts, us)
        self.span = whole({"slice_us": slice_us}, "slice_us", 0, 1, "scheduler rr") * us
        self.waiting: list[Share] = []

    def changed(self, domain: Share, now: int) -> None:
        known(domain.options, (), f"domain {domain.name!r}")

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        self.waiting.append(domain)

    def back(self, domain: Share, now: int) -> None:
        self.waiting.append(domain)

    def gone(self, domain: Share, now: int) -> None:
        self.waiting = [other for other in self.waiting if other is not domain]

    def pick(self, hart: int, now: int) -> Turn | None:
        for n, domain in enumerate(self.waiting):
            if may_run(domain, hart):
                del self.waiting[n]
                return Turn(domain, self.span)
        return None


POLICY = RoundRobin
