"""Answers for a machine with many guests as people use it: domains are made, changed, removed.

    host = Host(mem=256 << 20, harts=2, scheduler="credit")
    web = host.domain("web", "toyix", engine="bt", weight=512)
    host.run(until=host.ms(500))
    print(web.ran, web.output())

Must not know who runs when (`turns.py`), nor how a guest is run (`vmm/exit`).
"""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toyisa.core.memory import PAGE
from toyisa.core.ram import MIN_MEM
from toyisa.core.units import link
from toyisa.machine import Machine
from vmm import sched
from vmm.domain.host import Platform
from vmm.hosting.domain import Domain, State
from vmm.hosting.seat import Marks, Seat
from vmm.hosting.turns import Turns

QUANTUM = 100_000  # cycles after which another hart goes on
MAX_HARTS = 8


class Host(Turns):
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
        self.cost, self.scheduler = model.cost, scheduler
        us, memory = max(self.cost.hz // 1_000_000, 1), self.platform.memory
        seats, self.marks = [], Marks(memory)
        for n, hart in enumerate(self.platform.harts):
            link(hart, memory)
            model._set_prices(hart)
            record = self.platform.records[n : n + 1]
            seats.append(Seat(n, hart, memory, record, self.marks))
        policy = sched.make(scheduler, harts, us, **(options or {}))
        super().__init__(seats, policy, us, quantum)

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

