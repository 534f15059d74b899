"""Answers for moving a machine through its own time, forwards and backwards.

To go back is to restore an earlier snapshot and go forward from it.  The machine is
deterministic, and its console input is kept, to be given again in the same order whenever the
guest asks.  A moment is the number of instructions retired and the number of traps taken;
each step increases one of them by 1.  Must not know gdb.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from toyisa.compiled import jitcache
from toyisa.core.memory import RAM_BASE
from toyisa.machine import MIN_MEM, NOP, Machine
from toyisa.snapshots.snapshot import Snapshot, put, take
from toyisa.tables.exits import Reason
from vmm.gdb import until

FIRST_PERIOD = 1_000_000  # instructions from one snapshot to the next, at first
MOST = 64                 # snapshots that are kept; when there are more, every other one is dropped

Moment = tuple[int, int]  # instructions retired, traps taken

PARTS = 2  # parts to compile: `run_until`, and what runs a bare machine

BEGIN = 200  # going back has reached the beginning of the record


@dataclass(frozen=True)
class Watch:
    """A watchpoint on `size` bytes; `kinds` are `until.READ` and `until.WRITE`."""

    address: int
    size: int
    kinds: int


@dataclass(frozen=True)
class Stop:
    """Why the machine has stopped: a Reason, or a number of `until` or BEGIN."""

    why: int
    address: int = 0
    kinds: int = 0


@dataclass(frozen=True)
class _Shot:
    moment: Moment
    state: Snapshot | None
    given: int  # pieces of input that the machine had been given
    told: int   # bytes of output before it


class Timeline:
    """The recorded run of `machine`; it can go forwards only if the machine keeps no snapshots.

    `ask` returns the next console input, None at its end.  `show` gets each byte of output
    once, even if the machine runs over it several times.
    """

    def __init__(
        self, machine: Machine, ask: Callable[[], bytes | None], show: Callable[[bytes], None]
    ):
        self.machine = machine
        self.reversible = machine.keeps_snapshots
        self._ask, self._show = ask, show
        self._input: list[bytes | None] = []
        self._given = 0
        self._told = self._shown = 0
        self._period = FIRST_PERIOD
        self._shots: list[_Shot] = []
        self.restart()

    @property
    def now(self) -> Moment:
        """The present moment."""
        counts = self.machine.hart.counts
        return self.machine.instret, int(counts.exc.sum() + counts.irq.sum())

    @property
    def begin(self) -> Moment:
        """The earliest moment to which one can go back."""
        return self._shots[0].moment

    def restart(self) -> None:
        """Begin a new record: the state was changed, so the old record does not lead here."""
        self._shots = [self._shot()]

    # -- forwards ----------------------------------------------------------

    def run(self, budget: int) -> Stop:
        """Run up to `budget` instructions at full speed."""
        end = self.machine.instret + budget
        return self._forward(lambda limit: self._enter_plain(limit), (end, 0))

    def search(self, budget: int, stops: Iterable[int], watches: Iterable[Watch]) -> Stop:
        """Run up to `budget` instructions, or to a breakpoint or watchpoint."""
        end = self.machine.instret + budget
        marks = _Marks(self.machine, stops, watches)
        return self._forward(lambda limit: self._enter_search(limit, marks), (end, 0))

    def step(self) -> Stop:
        """Retire one instruction or take one trap."""
        instret, traps = self.now
        marks = _Marks(self.machine, (), ())
        # The next moment is one of two, since one of the counts increases by 1.
        stop = self._forward(
            lambda limit: self._enter_search(limit, marks), (instret, traps + 1)
        )
        return Stop(Reason.BUDGET) if stop.why == until.END else stop

    def _forward(self, enter: Callable[[Moment], Stop], end: Moment) -> Stop:
        """Call `enter` until the moment `end`, with input, output and snapshots; return why it
        stopped.
        """
        while True:
            due = self._shots[-1].moment[0] + self._period
            limit = min(end, (due, 0)) if self.now < (due, 0) else end
            found = enter(limit)
            self._tell()
            why = found.why
            if why in (until.END, Reason.BUDGET):
                if self.now[0] >= due:
                    self._record()
                if self.now < end:
                    continue
            elif why == Reason.OUTPUT or (why == Reason.INPUT and self.give()):
                continue
            return found

    def _enter_plain(self, limit: Moment) -> Stop:
        self.machine.hart.root.budget = limit[0]
        return Stop(self.machine.enter())

    def _enter_search(self, limit: Moment, marks: "_Marks") -> Stop:
        why = self.machine.enter(lambda hart, memory: marks.run(hart, memory, limit, False))
        return Stop(why, int(marks.found[until.ADDRESS]), int(marks.found[until.KIND]))

    # -- backwards ---------------------------------------------------------

    def step_back(self) -> Stop:
        """Undo one step."""
        now = self.now
        if now <= self.begin or not self.reversible:
            return Stop(BEGIN)
        # The step before retired an instruction, or took a trap at the same count.
        self.seek((now[0] - 1, 0))
        before = self.now
        while (at := self.now) < now:
            before = at
            self.step()
        self.seek(before)
        return Stop(Reason.BUDGET)

    def search_back(
        self, stops: Iterable[int], watches: Iterable[Watch], interrupted: Callable[[], bool]
    ) -> Stop:
        """Go back to the last breakpoint or watchpoint before now, or to the beginning."""
        if not self.reversible:
            return Stop(BEGIN)
        marks = _Marks(self.machine, stops, watches)
        end = self.now
        for shot in [shot for shot in self._shots if shot.moment < end][::-1]:
            self._return_to(shot)
            found = self._last(marks, end)
            if found is not None:
                moment, stop = found
                self.seek(moment)
                return stop
            end = shot.moment
            if interrupted():
                self.seek(end)
                return Stop(Reason.BUDGET)
        self.seek(self.begin)
        return Stop(BEGIN)

    def _last(self, marks: "_Marks", end: Moment) -> tuple[Moment, Stop] | None:
        """The last stop from here up to `end`, not counting `end` itself."""
        best = None
        here = int(self.machine.hart.pc)
        if here in marks.pcs:
            best = self.now, Stop(until.BREAKPOINT, here)
        while self.now < end:
            marks.found[:] = 0
            why = self.machine.enter(lambda hart, memory: marks.run(hart, memory, end, True))
            self._tell()
            instret, traps, which, address, kinds = map(int, marks.found[: until.KIND + 1])
            if which and (instret, traps) < end:
                best = (instret, traps), Stop(which, address, kinds)
            if not (why == Reason.OUTPUT or (why == Reason.INPUT and self.give())):
                break
        return best

    def seek(self, moment: Moment) -> None:
        """Go to a moment in the record, or to the first after it that exists."""
        moment = max(moment, self.begin)
        if not self._shots[0].moment <= self.now <= moment or self._shot_before(moment) > self.now:
            self._return_to(next(s for s in self._shots[::-1] if s.moment <= moment))
        marks = _Marks(self.machine, (), ())
        while self.now[0] < moment[0]:
            self.machine.hart.root.budget = moment[0]
            why = self.machine.enter()
            self._tell()
            if why not in (Reason.BUDGET, Reason.OUTPUT) and not (
                why == Reason.INPUT and self.give()
            ):
                return
        while self.now < moment:
            why = self.machine.enter(lambda hart, memory: marks.run(hart, memory, moment, False))
            self._tell()
            if why not in (until.END, Reason.OUTPUT) and not (
                why == Reason.INPUT and self.give()
            ):
                return

    def _shot_before(self, moment: Moment) -> Moment:
        return next(shot.moment for shot in self._shots[::-1] if shot.moment <= moment)

    # -- record ------------------------------------------------------------

    def _shot(self) -> _Shot:
        previous = self._shots[-1].state if self._shots else None
        state = take(self.machine, previous) if self.reversible else None
        return _Shot(self.now, state, self._given, self._told)

    def _record(self) -> None:
        """Take a snapshot if there is none this late; when there are many, drop every other one."""
        if not self.reversible or self.now <= self._shots[-1].moment:
            return
        self._shots.append(self._shot())
        if len(self._shots) > MOST:
            self._shots = self._shots[::2]
            self._period *= 2

    def _return_to(self, shot: _Shot) -> None:
        put(shot.state, self.machine)
        self._given, self._told = shot.given, shot.told

    def give(self) -> bool:
        """The guest asks for input: give it what it got here before, or else new input."""
        if self.machine.input_ended:
            return False
        if self._given == len(self._input):
            self._input.append(self._ask())
        data = self._input[self._given]
        self._given += 1
        if data is None:
            self.machine.end_input()
        else:
            self.machine.feed(data)
        return True

    def _tell(self) -> None:
        """Show output that was not shown before."""
        data = self.machine.output()
        new = self._told + len(data) - self._shown
        self._told += len(data)
        if new > 0:
            self._show(data[-new:])
            self._shown = self._told


def make_ready() -> None:
    """Compile or load what a search needs, before gdb waits for an answer."""
    jitcache.warm("the debugger", _touch, PARTS)


def _touch(_cold: bool) -> None:
    machine = Machine(mem=MIN_MEM)
    machine.boot(RAM_BASE, 0)
    machine.poke(RAM_BASE, NOP)
    marks = _Marks(machine, (), ())
    machine.enter(lambda hart, memory: marks.run(hart, memory, (1, 0), False))


class _Marks:
    """Breakpoints and watchpoints in the form that compiled code needs."""

    def __init__(self, machine: Machine, stops: Iterable[int], watches: Iterable[Watch]):
        self.unit = machine.runner()
        self.pcs = frozenset(stops)
        rows = [(watch.address, watch.size, watch.kinds) for watch in watches]
        self.stops = np.array(sorted(self.pcs), np.int64)
        self.watches = np.array(rows, np.int64).reshape(-1, 3)
        self.found = np.zeros(until.PLACES, np.int64)
        self._device_next = False

    def run(self, hart: np.record, memory: np.record, end: Moment, last: bool) -> int:
        if self._device_next:  # root retired an instruction meanwhile
            self._device_next = False
            if int(hart.pc) in self.pcs:
                if not last:
                    return until.BREAKPOINT
                counts = hart.counts
                self.found[until.INSTRET] = hart.clock.instret
                self.found[until.TRAPS] = counts.exc.sum() + counts.irq.sum()
                self.found[until.WHICH] = until.BREAKPOINT
        moment = np.array(end, np.int64)
        why = until.run_until(
            hart, memory, self.unit, self.stops, self.watches, moment, self.found, last
        )
        self._device_next = why == Reason.DEVICE
        return why
