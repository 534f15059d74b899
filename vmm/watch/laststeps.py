"""Answers for the last instructions that a guest executed before it crashed.

A plain run records no instructions.  So this keeps one snapshot, which it takes ever more
rarely, and the input since then, and runs the end again.  Must not know why the guest
crashed.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from toyisa.look import effects
from toyisa.machine import Exit, Machine
from toyisa.snapshots.snapshot import put, take
from vmm.watch.stepping import Stepper

FIRST_AFTER = 50_000_000  # instructions until the second snapshot; then twice as many, and so on


@dataclass
class Place:
    """Where the guest was: the instruction, how often in a row, the trap that it took."""

    pc: int
    word: int | None  # None: it could not be fetched
    times: int = 1
    trap: tuple[int, int] | None = None  # scause, stval


class LastSteps:
    """Follows one run of `machine`: call `mark` now and then, and `fed` with each input."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self._take()

    def _take(self) -> None:
        self._due = max(FIRST_AFTER, 2 * self.machine.instret)
        self._state = take(self.machine)
        self._input: list[tuple[int, bytes | None]] = []

    def mark(self) -> None:
        """Call this when the machine has stopped: it takes a snapshot if it is time."""
        if self.machine.instret >= self._due:
            self._take()

    def fed(self, data: bytes | None) -> None:
        """Input was given here; None means the end of input."""
        self._input.append((self.machine.instret, data))

    def last(self, count: int) -> list[Place]:
        """The last `count` places that were executed.

        Afterwards the machine is as it was, its console output included.
        """
        machine = self.machine
        final = take(machine)
        end = machine.instret, _traps(machine)
        put(self._state, machine)
        places: deque[Place] = deque(maxlen=count)
        try:
            self._replay(end[0] - 4 * count)
            while (machine.instret, _traps(machine)) < end:
                self._step(places)
                if not self._give(machine.instret) and self._why is not Exit.BUDGET:
                    break
        finally:
            put(final, machine)
        return list(places)

    def before(self, instret: int, most: int) -> int | None:
        """The pc of the instruction that made the count `instret`; None if that is too far.

        At most `most` instructions are run for it.  Afterwards the machine is as it was.
        """
        machine = self.machine
        final = take(machine)
        put(self._state, machine)
        try:
            if not 0 < instret - machine.instret <= most:
                return None
            self._replay(instret - 1)
            return int(machine.hart.pc) if machine.instret == instret - 1 else None
        finally:
            put(final, machine)

    def again(self, watcher: Callable[[Machine, effects.Effects, int], bool], until: float) -> None:
        """Run from the snapshot to the present moment, in steps that `watcher` sees.

        It stops early if `watcher` returns True, or when the host's clock
        (`time.perf_counter`) is at `until`.  Afterwards the machine is as it was.
        """
        machine, seen = self.machine, [False]

        def watch(machine: Machine, what: effects.Effects, level: int) -> None:
            seen[0] = watcher(machine, what, level)

        stepper = Stepper(machine, [watch])
        final, end = take(machine), machine.instret
        put(self._state, machine)
        self._waiting = deque(self._input)
        try:
            while machine.instret < end and time.perf_counter() < until and not seen[0]:
                why = stepper.run(min(16, end - machine.instret))
                machine.output()
                if not self._give(machine.instret) and why is not Exit.BUDGET:
                    break
        finally:
            put(final, machine)

    def _step(self, places: deque[Place]) -> None:
        machine = self.machine
        pc = int(machine.hart.pc)
        word = effects.word_at(machine, pc)
        before = machine.instret
        self._why = machine.advance()
        trap = None
        if machine.instret == before:
            trap = int(machine.hart.csr.scause), int(machine.hart.csr.stval)
        if places and (places[-1].pc, places[-1].word, places[-1].trap) == (pc, word, trap):
            places[-1].times += 1
        else:
            places.append(Place(pc, word, 1, trap))

    def _replay(self, instret: int) -> None:
        """Run up to `instret` at full speed, with the input where it was given."""
        self._waiting = deque(self._input)
        while self.machine.instret < instret:
            at = self._waiting[0][0] if self._waiting else instret
            why = self.machine.run(max(min(at, instret) - self.machine.instret, 0))
            self.machine.output()
            if why not in (Exit.BUDGET, Exit.OUTPUT, Exit.INPUT):
                return
            if not self._give(self.machine.instret) and why is Exit.INPUT:
                return

    def _give(self, instret: int) -> bool:
        """Give again what was given at this moment; return whether there was any."""
        given = False
        while self._waiting and self._waiting[0][0] <= instret:
            _, data = self._waiting.popleft()
            given = True
            if data is None:
                self.machine.end_input()
            else:
                self.machine.feed(data)
        return given


def _traps(machine: Machine) -> int:
    counts = machine.hart.counts
    return int(counts.exc.sum() + counts.irq.sum())
