"""Answers for running at speed until the TLB and the tables disagree, and then in single steps.

The hart itself compares each use (`toyisa.core.fences`), at some tens of nanoseconds.  Must not
know what is wrong with a use.
"""

import time
from dataclasses import dataclass

import numpy as np

from toyisa.core.fences import attach, new_fences
from toyisa.machine import Exit, Machine
from vmm.watch.stepping import Stepper, Watcher


def watch(machine: Machine) -> np.record:
    """Let the machine's harts compare their uses, once the record that is returned is `on`."""
    machine.fences = new_fences()
    attach(machine.fences, machine.hart, machine.host.hart)  # the virtual hart, and the real one
    return machine.fences


@dataclass
class FenceRun:
    """Has `run` like `Machine.run`; `watcher` sees each step before which the two disagree."""

    machine: Machine
    watcher: Watcher
    slice_size: int = 10_000_000  # instructions at a time, if the caller also looks at a keyboard

    def __post_init__(self) -> None:
        self.fences = watch(self.machine)
        self._stepper = Stepper(self.machine, [self.watcher])

    def run(self, budget: int, seconds: float | None = None) -> Exit:
        """Run at most `budget` instructions.  Whoever runs the machine otherwise is not stopped."""
        machine, end = self.machine, self.machine.instret + budget
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                left = None if deadline is None else max(deadline - time.monotonic(), 0)
                self.fences.on = 1
                why = machine.run(max(end - machine.instret, 0), left)
                if why is not Exit.STALE:
                    return why
                self.fences.on = self.fences.found = 0
                why = self._stepper.step()
                if why is not Exit.BUDGET:
                    return why
        finally:
            self.fences.on = self.fences.found = 0
