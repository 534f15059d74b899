"""Answers for running while something watches each step, or each exit of a guest.

It watches a range of instructions; outside it the guest runs at full speed.  Must not know
what the watchers do with it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toyisa.look.effects import Effects, Observer
from toyisa.machine import Exit, Machine

# The machine afterwards, what changed, the level before
Watcher = Callable[[Machine, Effects, int], None]

NEVER = 1 << 62


@dataclass
class Stepper:
    """Has `run` like `Machine.run`; executes the instructions `first` to `last` in single steps."""

    machine: Machine
    watchers: Sequence[Watcher]
    first: int = 0
    last: int = NEVER
    slice_size: int = 10_000  # instructions at a time, if the caller also looks at a keyboard
    _answers: list[Exit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._observer = Observer(self.machine.hart)

    def run(self, budget: int, seconds: float | None = None) -> Exit:
        """Run at most `budget` instructions; the watchers see those in the range."""
        machine = self.machine
        end = machine.instret + budget
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            now, left = machine.instret, None
            if now >= end:
                return Exit.BUDGET
            if deadline is not None:
                left = max(deadline - time.monotonic(), 0)
                if left == 0:
                    return Exit.TIMEOUT
            if now < self.first:
                why = machine.run(min(end, self.first) - now, left)
            elif now >= self.last:
                return machine.run(end - now, left)
            else:
                why = self.step()
            if why is not Exit.BUDGET:
                return why

    def step(self) -> Exit:
        """One step, shown to the watchers if it did anything."""
        machine, observer = self.machine, self._observer
        level, before = observer.priv, observer.instret
        effects = observer.observe(machine, lambda: self._answers.append(machine.advance()))
        why = self._answers.pop()
        if effects.trap or observer.instret > before:
            for watcher in self.watchers:
                watcher(machine, effects, level)
        return why


@dataclass
class Logged:
    """Has `run` like Machine.run; a virtual machine's log is on from `first` to `last`.

    `inner` runs the machine, if the machine itself does not; `take` gets the log.
    """

    machine: Any  # a VirtualMachine
    take: Callable[[np.ndarray], None]
    inner: Stepper | None = None
    first: int = 0
    last: int = NEVER
    slice_size: int = 10_000_000

    def __post_init__(self) -> None:
        if self.inner:
            self.slice_size = self.inner.slice_size

    def run(self, budget: int, seconds: float | None = None) -> Exit:
        """Run at most `budget` instructions."""
        deadline = None if seconds is None else time.monotonic() + seconds
        machine = self.machine
        run = (self.inner or machine).run
        end = machine.instret + budget
        while True:
            now = machine.instret
            inside = self.first <= now < self.last
            machine.log(self.take if inside else None)
            limit = self.first if now < self.first else self.last if inside else NEVER
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            why = run(budget=min(end, limit) - now, seconds=left)
            if why is not Exit.BUDGET or machine.instret >= end:
                return why
