"""Answers for what an operation of a nano-benchmark cost: its events, exactly.

The guest measures itself: it reads `cycle` before and after a loop.  At each of these reads a
meter (`toyisa.core.meter`) records what has happened so far.  So the difference of two
records is what the timed part consists of, and its price must be exactly the number of cycles
that the guest prints.  Must not know what is made of it.
"""

from dataclasses import dataclass

from guests import readings
from toyisa.core import meter
from toyisa.core.decodepool import fold_all
from toyisa.machine import Exit
from vmm.comparison.subjects import Setting, Subject, machine_for
from vmm.comparison.vectors import Vector, vector
from vmm.domain.exits import Kind

BUDGET = 200_000_000


@dataclass(frozen=True)
class Row:
    """`iterations` of an operation, and the events that they took.

    `wrong` says how the guest noticed that the operation was not done right; it is empty if
    all went well.  Otherwise the cycles mean nothing.
    """

    benchmark: str
    subject: Subject
    setting: Setting
    iterations: int
    events: Vector
    wrong: str = ""

    @property
    def cycles(self) -> float:
        """Cycles of one operation."""
        return self.at(self.setting.cost.price)

    def at(self, prices) -> float:
        """Cycles of one operation under other prices."""
        return self.events.cycles(prices) / self.iterations

    @property
    def total(self) -> int:
        """Cycles of all operations."""
        return self.events.cycles(self.setting.cost.price)

    @property
    def terms(self) -> dict[str, int]:
        """The total's terms."""
        return self.events.terms(self.setting.cost.price)


class MeasureError(RuntimeError):
    """A benchmark did not do what is expected of it; the message says what."""


# Two reads of `cycle` bound an interval.  Each row says which interval is the reading's, which one
# is subtracted, and how many there are.  In lib/nano.S each reading has four: the empty loop and
# the full one untimed, then both once more.
_INTERVALS = {
    "cold:1": (2, 1, 4),     # two pairs of reads of the clock alone, and two passes
    "cold:2": (3, 1, 4),
    "forkwait": (2, 1, 3),   # an untimed round, one with nothing to do, a timed one
}


def measure(name: str, elf: bytes, subject: Subject, setting: Setting) -> list[Row]:
    """Run the nano-benchmark `name` and return a row for each of its readings."""
    machine = machine_for(subject, setting)
    others = machine.vm.stats["count"] if machine.virtual else None
    notes = meter.attach(machine.host.memory, others)
    machine.load(elf)
    machine.end_input()
    end = machine.run(budget=BUDGET)
    console = machine.output().decode(errors="replace")
    wrong = _wrong(machine, end, console)
    try:
        found = readings.parse(console)
    except ValueError as error:
        found, wrong = {}, wrong or str(error)
    if wrong:
        return [Row(key, subject, setting, 1, Vector(), wrong) for key in found or (name,)]
    read = [*found.values()]
    return [_row(n, read, notes[0], subject, setting) for n in range(len(read))]


def _wrong(machine, end: Exit, console: str) -> str:
    if end is not Exit.HALTED:
        return f"does not end: {machine.reason or end.name.lower()}"
    failed = [line for line in console.splitlines() if line.startswith("FAIL")]
    if failed:
        return " ".join(failed[0].split()[1:])
    return f"exit code {machine.code}" if machine.code else ""


def _row(n: int, read: list[readings.Reading], notes, subject: Subject, setting: Setting) -> Row:
    reading, every = read[n], (4 * n + 3, 4 * n + 2, 4 * len(read))
    full, empty, intervals = _INTERVALS.get(reading.key, every)
    each, odd = divmod(int(notes.marks), 2 * intervals)
    if odd or not each or notes.marks > meter.MARKS:
        raise MeasureError(
            f"{reading.key} under {subject.name}: `cycle` was read {notes.marks} times, not "
            f"{2 * intervals}"
        )
    events = _interval(notes, full, each) - _interval(notes, empty, each)
    if (cycles := events.cycles(setting.cost.price)) != reading.cycles:
        raise MeasureError(
            f"{reading.key} under {subject.name}: the events come to {cycles} cycles, "
            f"but the guest counted {reading.cycles}"
        )
    return Row(reading.key, subject, setting, reading.iterations, events)


def _interval(notes, n: int, each: int) -> Vector:
    """From read 2n to read 2n + 1.

    A translator may read the lower half together with each read of the upper half too.  Then
    there are three records for each read, and the guest's is the middle one.
    """
    before, after = (_note(notes, each * m + each // 2) for m in (2 * n, 2 * n + 1))
    return after - before


def _note(notes, m: int) -> Vector:
    hypercalls = notes.other[m][Kind.HYPERCALL] if notes.others else 0
    return vector(notes.op[m], notes.event[m], notes.idle[m], hypercalls)


def whole_run(machine) -> Vector:
    """The events of everything that a stopped machine has done."""
    hart = machine.host.hart
    fold_all(hart, machine.host.memory)
    hypercalls = machine.vm.stats["count"][Kind.HYPERCALL] if machine.virtual else 0
    idle = machine.cycles - int(hart.clock.cycles)
    return vector(hart.counts.op, hart.counts.event, idle, hypercalls)
