"""Answers for running a machine to its end: slices, input, output, limits.

Must not know how the machine was made, nor how the outcome is shown.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vmm.cli import watchdog
from vmm.cli.checkpoint import Checkpoint
from vmm.cli.console import END_OF_INPUT, Input
from vmm.cli.status import Status

# Instructions, and seconds, between two looks at the keyboard, the clock and the console: some
# hundredths of a second, so that a key is answered at once, whatever the guest does.
SLICE = 10_000_000
SLICE_SECONDS = 0.05


@dataclass(frozen=True)
class Limits:
    """When to stop a guest that does not end by itself; 0 means never."""

    max_insns: int
    seconds: float
    max_cycles: int = 0


@dataclass(frozen=True)
class Extras:
    """What else a run does: a snapshot, a run that is watched, the last steps for a crash
    report.

    `stepper` has `run` as a machine has, and says how many instructions it takes at a time.
    `failure` says in words why the run has failed already, if it has.
    """

    checkpoint: Checkpoint | None = None
    stepper: Any = None
    steps: Any = None
    failure: Callable[[], str | None] = lambda: None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: a word, the status, and a line for people."""

    exit: str
    status: Status
    line: str
    seconds: float


NO_EXTRAS = Extras()


class Session:
    """One run of `machine`.

    `show` gets the console's bytes as they come.  The time limit counts only the time in
    which the machine runs, not the time in which it waits for a key or for the pipe.
    """

    def __init__(self, machine: Any, keys: Input, show: Callable[[bytes], None], limits: Limits,
                 extras: Extras = NO_EXTRAS):
        self.machine = machine
        self.checkpoint = extras.checkpoint
        self.steps = extras.steps
        self._failure = extras.failure
        if limits.max_cycles:
            # Where time is instructions, `limit` would count those
            root, counted = machine.hart.root, machine.hart.clock.icount
            root["spend" if counted else "limit"] = limits.max_cycles
        self._run = extras.stepper.run if extras.stepper else machine.run
        self._slice_size = extras.stepper.slice_size if extras.stepper else SLICE
        self.keys = keys
        self.show = show
        self.limits = limits
        self.spent = 0.0
        self.input_ended = machine.input_ended
        machine.live = keys.live

    def run(self) -> Outcome:
        """Run until the guest ends, a limit is reached, or Ctrl-C."""
        outcome = None
        watchdog.answered()  # it is answered here from now on
        try:
            while outcome is None:
                outcome = self._slice()
        except KeyboardInterrupt:
            outcome = self._outcome("interrupted", Status.INTERRUPTED, "interrupted")
        if self.checkpoint:
            self.checkpoint.passed(self.machine, ended=True)
        return outcome

    def _slice(self) -> Outcome | None:
        """Run up to SLICE instructions; the outcome if this was the last slice."""
        from toyisa.machine import Exit

        machine = self.machine
        budget = self._slice_size - machine.instret % self._slice_size  # slices end at fixed places
        if self.limits.max_insns:
            budget = min(budget, self.limits.max_insns - machine.instret)
            if budget <= 0:
                line = f"stopped after {machine.instret:,} instructions"
                line += "; --max-insns N allows more, 0 any number"
                return self._outcome("budget", Status.LIMIT, line)
        if self.checkpoint:
            budget = self.checkpoint.bound(machine, budget)
        if self.steps:
            self.steps.mark()
        began = time.perf_counter()
        seconds = SLICE_SECONDS
        if self.limits.seconds:
            seconds = min(seconds, max(self.limits.seconds - self.spent, 0))
        why = self._run(budget=budget, seconds=seconds)
        self.spent += time.perf_counter() - began
        self.show(machine.output())
        if self.checkpoint:
            self.checkpoint.passed(machine, ended=False)
        if why is Exit.HALTED:
            if machine.code == 0:
                return self._outcome("halted", Status.PASSED, "passed")
            line = f"failed with code {machine.code} (by {machine.how})"
            return self._outcome("halted", Status.FAILED, line)
        if why is Exit.FATAL:
            line = f"the guest cannot go on: {machine.reason}"
            return self._outcome("fatal", Status.FAILED, line)
        if why is Exit.IDLE or (why is Exit.INPUT and self.input_ended):
            return self._outcome("idle", Status.LIMIT, "the guest sleeps and nothing can wake it")
        if failure := self._failure():
            return self._outcome("panic", Status.FAILED, failure)
        if self.limits.max_cycles and machine.cycles >= self.limits.max_cycles:
            line = f"stopped after {machine.cycles:,} cycles (--max-cycles)"
            return self._outcome("cycles", Status.LIMIT, line)
        if self.limits.seconds and self.spent > self.limits.seconds:
            line = f"stopped after {self.limits.seconds:g} s; --timeout N allows more, 0 any time"
            return self._outcome("timeout", Status.LIMIT, line)
        self._feed(waits=why is Exit.INPUT)
        return None

    def _feed(self, waits: bool) -> None:
        """Give the guest the input that has come; if it `waits` for input, wait too."""
        if self.input_ended or not (waits or self.keys.live):
            return
        if not self.keys.live:
            patience = None  # what happens next depends on the pipe's next bytes
        else:
            patience = self.machine.idle_seconds if waits else 0
        data = self.keys.wait(patience)
        if data is None:
            self.input_ended = True
            self._give(END_OF_INPUT)
            self.machine.end_input()
            if self.steps:
                self.steps.fed(None)
        elif data:
            self._give(data)

    def _give(self, data: bytes) -> None:
        if self.steps:
            self.steps.fed(data)
        self.machine.feed(data)

    def _outcome(self, word: str, status: Status, line: str) -> Outcome:
        return Outcome(word, status, line, self.spent)
