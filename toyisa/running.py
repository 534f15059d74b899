"""Answers for running a machine: in slices, with looks at limits and Ctrl-C between them.

Must not know what a machine is made of; it has a hart, memory, a bus and a console.
"""

import time
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from toyisa import ctrlc
from toyisa.core.state import NEVER
from toyisa.core.uart import IER_RECEIVED
from toyisa.core.work import unlimited
from toyisa.devices import htif
from toyisa.devices.terminal import Terminal
from toyisa.look.effects import Effects, Observer
from toyisa.tables.exits import Reason

if TYPE_CHECKING:
    from toyisa.devices.bus import Bus, Dma

MAX_OUTPUT = 1 << 20  # bytes of console output that may wait


class Exit(IntEnum):
    """Why `Machine.run` returned."""

    HALTED = 1  # the guest turned the machine off: see `code` and `how`
    BUDGET = 2  # the budget is used up
    INPUT = 3   # the guest waits for console input: `feed` or `end_input`, run again
    IDLE = 4    # it sleeps and nothing can wake it
    FATAL = 5   # it cannot go on: `reason` says why
    OUTPUT = 6  # much console output waits: take it with `output`, run again
    TIMEOUT = 7  # the time is used up: run again to go on
    STALE = 8    # with `fences`: the next use of the TLB differs from the tables
    WAITS = 9    # with `hart.root.waits`: it waits until `hart.root.wake`, or for an interrupt


class Running(Terminal):
    """The part of a machine that runs it; subclasses define `_run` and `why_ended`."""

    bus: "Bus"
    reason: str     # why the guest cannot go on, for people
    fences: "np.record | None"  # of `core/fences.py`, while uses of the TLB are compared
    work: int       # between two looks, in units of `work.py`
    most_work: int  # the most that was done between two
    _dma: "Dma"
    _observer: Observer

    def _run(self, hart: np.record, memory: np.record) -> int:
        """Run until root must act: a number of `Reason`."""
        raise NotImplementedError

    def why_ended(self, reason: Reason) -> str:
        """A line for people that says why the guest cannot go on."""
        raise NotImplementedError

    @property
    def instret(self) -> int:
        """Instructions retired."""
        return int(self.hart.clock.instret)

    def run(self, budget: int | None = None, seconds: float | None = None) -> Exit:
        """Run at most `budget` more instructions, and at most `seconds`; without limits by
        default.

        It looks at the clock and at Ctrl-C some hundred times a second.  So whatever the
        guest does, KeyboardInterrupt and Exit.TIMEOUT come within some hundredths of a
        second.  They leave a machine that can be run on, to the same end as one that was not
        stopped.  ValueError if a limit is negative.
        """
        if (budget is not None and not budget >= 0) or (seconds is not None and not seconds >= 0):
            raise ValueError("a limit of a run is 0 or more")
        instret = self.instret
        self.hart.root.budget = NEVER if budget is None else min(int(min(budget, NEVER)) + instret,
                                                                 NEVER)  # fmt: skip
        end = None if seconds is None else time.monotonic() + seconds
        with ctrlc.held() as look:
            while True:
                reason = self.slice()
                look()
                if reason == Reason.LOOK and self.fences is not None and self.fences.found:
                    return Exit.STALE
                waits = reason == Reason.OUTPUT and len(self._output) >= MAX_OUTPUT
                if waits or not (
                    reason in (Reason.LOOK, Reason.OUTPUT)
                    or (reason == Reason.INPUT and self.give_input())
                ):
                    return self._answer(reason)
                if end is not None and time.monotonic() >= end:
                    return Exit.TIMEOUT

    def slice(self) -> Reason:
        """`enter` for at most the work between two looks: Reason.LOOK if it was used up."""
        self.memory.work = self.work
        try:
            return Reason(self.enter())
        finally:
            self.most_work = max(self.most_work, self.work - int(self.memory.work))
            unlimited(self.memory)

    def step(self) -> Effects:
        """Retire one instruction or take one trap; return what it changed.

        An `ecall` that the firmware answers is one step.  RuntimeError if the machine has
        halted or waits for input.
        """
        return self._observer.observe(self, self._step)

    def _step(self) -> None:
        why = self.advance()
        if why not in (Exit.BUDGET, Exit.HALTED):
            raise RuntimeError(f"cannot step: {why.name.lower()} {self.reason}".rstrip())

    def advance(self, seconds: float | None = None) -> Exit:
        """Retire one instruction or take one trap, and return BUDGET; otherwise why not.

        If it takes more than `seconds`, return TIMEOUT; it is continued next time.
        """
        hart = self.hart
        end = None if seconds is None else time.monotonic() + seconds
        hart.root.budget = hart.clock.instret + 1
        hart.root.one_trap = 1
        try:
            while True:
                reason = self.slice()
                if reason not in (Reason.OUTPUT, Reason.LOOK) and not (
                    reason == Reason.INPUT and self.give_input()
                ):
                    break
                if end is not None and time.monotonic() >= end:
                    return Exit.TIMEOUT
        finally:
            hart.root.one_trap = 0
        return Exit.BUDGET if reason == Reason.STEP else self._answer(reason)

    def enter(self, runner: Callable[..., int] | None = None) -> int:
        """Run until root must act: a number of `Reason`.  Takes the console's output.

        `runner(hart, memory)` is for debuggers, which have a runner of their own.
        """
        self.give_input()
        runner = runner or self._run
        reason = Reason.DEVICE if self.bus.busy else runner(self.hart, self.memory)
        while reason == Reason.DEVICE:
            reason = runner(self.hart, self.memory) if self.bus.answer() else Reason.LOOK
        return self.left(reason)

    def left(self, reason: int) -> int:
        """After it was run: take the console's output; the reason for which it stopped, really."""
        if reason in (Reason.TRAP, Reason.STUCK) and htif.ends(self._dma, self.memory.console):
            reason = Reason.HALTED
        self.take_console()
        return reason

    def _answer(self, reason: Reason) -> Exit:
        """What a Reason of the hart means to the caller."""
        match reason:
            case Reason.HALTED:
                return Exit.HALTED
            case Reason.BUDGET:
                return Exit.BUDGET
            case Reason.OUTPUT:
                return Exit.OUTPUT
            case Reason.INPUT:
                return Exit.INPUT
            case Reason.WAIT:
                return Exit.WAITS
            case Reason.IDLE if self.live and self.memory.console.ier & IER_RECEIVED:
                return Exit.INPUT  # a key will wake it
            case _:
                self.reason = self.why_ended(reason)
                return Exit.IDLE if reason == Reason.IDLE else Exit.FATAL
