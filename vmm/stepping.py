"""Answers for running with somebody watching each step: traces and logs.

Steps one by one within a window of instructions, at full speed outside it.  Must
not know what the watchers make of a step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from toyisa.effects import Effects, Observer
from toyisa.machine import Exit, Machine

Watcher = Callable[[Machine, Effects, int], None]  # the machine after it, what, the level before

NEVER = 1 << 62


@dataclass
class Stepper:
    """`run` as `Machine.run`, for instructions number `first` up to `last` in steps."""

    machine: Machine
    watchers: Sequence[Watcher]
    first: int = 0
    last: int = NEVER
    _answers: list[Exit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._observer = Observer(self.machine.hart)

    def run(self, budget: int) -> Exit:
        """Run at most `budget` instructions; the watchers see those in the window."""
        machine = self.machine
        end = machine.instret + budget
        while True:
            now = machine.instret
            if now >= end:
                return Exit.BUDGET
            if now < self.first:
                why = machine.run(min(end, self.first) - now)
            elif now >= self.last:
                return machine.run(end - now)
            else:
                why = self._step()
            if why is not Exit.BUDGET:
                return why

    def _step(self) -> Exit:
        """One step, shown to the watchers if it did anything."""
        machine, observer = self.machine, self._observer
        level, before = observer.priv, observer.instret
        effects = observer.observe(machine, lambda: self._answers.append(machine.advance()))
        why = self._answers.pop()
        if effects.trap or observer.instret > before:
            for watcher in self.watchers:
                watcher(machine, effects, level)
        return why
