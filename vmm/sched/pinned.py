"""Each domain has a hart of its own, on which nobody else runs, though it may be idle."""

from vmm.sched import Policy, Share, Turn, may_run
from vmm.sched.options import known


class Pinned(Policy):
    """A domain gets the first free hart of its pins when it is made, and has it to its end.

    `mine` is its number.
    """

    def __init__(self, harts: int, us: int):
        super().__init__(harts, us)
        self.owners: list[Share | None] = [None] * harts
        self.waiting: set[int] = set()  # harts whose domains wait for them

    def changed(self, domain: Share, now: int) -> None:
        known(domain.options, (), f"domain {domain.name!r}")
        if domain.mine is not None and may_run(domain, domain.mine):
            return
        may = [hart for hart in range(self.harts) if may_run(domain, hart)]
        free = [hart for hart in may if self.owners[hart] is None]
        if not free:
            taken = ", ".join(f"hart {hart} belongs to {self.owners[hart].name!r}" for hart in may)
            raise ValueError(
                f"domain {domain.name!r} has no hart of its own: {taken}; "
                f"give the host more harts, or the domains other pins"
            )
        waits = domain.mine in self.waiting
        self.left(domain, now)
        domain.mine = free[0]
        self.owners[free[0]] = domain
        if waits:
            self.waiting.add(free[0])

    def left(self, domain: Share, now: int) -> None:
        if domain.mine is not None:
            self.owners[domain.mine] = None
            self.waiting.discard(domain.mine)

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        self.waiting.add(domain.mine)

    def back(self, domain: Share, now: int) -> None:
        self.waiting.add(domain.mine)

    def gone(self, domain: Share, now: int) -> None:
        self.waiting.discard(domain.mine)

    def pick(self, hart: int, now: int) -> Turn | None:
        if hart not in self.waiting:
            return None
        self.waiting.discard(hart)
        return Turn(self.owners[hart], 1_000_000 * self.us)


POLICY = Pinned
