"""Answers for what a whole run of a guest cost under each engine, and why they differ.

Must not know nano-benchmarks.
"""

from dataclasses import dataclass

from toyisa.load.image import ImageError
from toyisa.machine import Exit
from vmm.comparison.measure import whole_run
from vmm.comparison.subjects import Setting, Subject, machine_for
from vmm.comparison.vectors import TERMS, Vector

COUNTED = {  # what the events of a term are called, and which counts they are
    "crossings": ("crossings", ("root_cross",)), "callouts": ("callouts", ("root_callout",)),
    "emulation": ("instructions emulated", ("root_emulate",)),
    "translation": ("instructions translated", ("root_translate",)),
    "switches": ("world switches", ("root_switch",)),
    "walks": ("entries read", ("walk_ref",)),
}  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """A run from power-on to power-off; `exits` are counts by kind of exit."""

    guest: str
    subject: Subject
    setting: Setting
    events: Vector
    exits: dict[str, int]
    instret: int
    console: str
    wrong: str

    @property
    def total(self) -> int:
        return self.events.cycles(self.setting.cost.price)

    @property
    def busy(self) -> int:
        """The total without the time asleep, which depends on when work arrives."""
        return self.total - self.terms["idle"]

    @property
    def terms(self) -> dict[str, int]:
        """The total's terms, which sum to it exactly."""
        return self.events.terms(self.setting.cost.price)

    def count(self, term: str) -> int:
        """How many events are in a term; crossings do not include hypercalls."""
        times = sum(self.events.counts[key] for key in COUNTED[term][1])
        return times - self.events.hypercalls if term == "crossings" else times


@dataclass(frozen=True)
class Guest:
    """What is run: its name, its ELF, its console input, its RAM, and when to stop it."""

    name: str
    elf: bytes
    typed: bytes = b""
    mem: int = 16 << 20
    budget: int = 20_000_000_000


def run_whole(guest: Guest, subject: Subject, setting: Setting) -> Whole:
    """Run the guest to its end."""
    machine = machine_for(subject, setting, guest.mem)
    machine.load(guest.elf)
    machine.feed(guest.typed)
    machine.end_input()
    end = machine.run(budget=guest.budget)
    console = machine.output()
    while end is Exit.OUTPUT:
        end = machine.run(budget=guest.budget)
        console += machine.output()
    wrong = ""
    if end is not Exit.HALTED:
        wrong = f"does not end: {machine.reason or end.name.lower()}"
    elif machine.code:
        wrong = f"exit code {machine.code}"
    exits = {kind: row["count"] for kind, row in machine.exits().items() if kind != "other"}
    return Whole(guest.name, subject, setting, whole_run(machine), exits, machine.instret,
                 console.decode(errors="replace"), wrong)  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """An engine that cannot run the guest, and the reason."""

    subject: Subject
    why: str


def try_whole(guest: Guest, subject: Subject, setting: Setting) -> Whole | LeftOut:
    """Run the guest to its end, if the engine can run it."""
    try:
        return run_whole(guest, subject, setting)
    except ImageError as error:
        return LeftOut(subject, str(error))


def explain(a: Whole, b: Whole) -> str:
    """A sentence on why `b` costs more or less than `a`; the terms that differ most come first."""
    difference = b.busy - a.busy
    names = a.subject.label, b.subject.label
    more = "more" if difference >= 0 else "fewer"
    parts, left = [], {term: b.terms[term] - a.terms[term] for term in TERMS if term != "idle"}
    for term, change in sorted(left.items(), key=lambda item: -abs(item[1])):
        if not change or (parts and abs(change) < abs(difference) / 50):
            break
        parts.append(f"{change:+,} {term}{_counts(term, a, b)}")
        left[term] = 0
    if rest := sum(left.values()):
        parts.append(f"{rest:+,} the rest")
    return (
        f"{names[1]} is busy for {b.busy / max(a.busy, 1):.2f} times the cycles of {names[0]}, "
        f"{abs(difference):,} {more}: {', '.join(parts) or 'in no term'}."
    )


def _counts(term: str, a: Whole, b: Whole) -> str:
    if term not in COUNTED:
        return ""
    return f" ({a.count(term):,} to {b.count(term):,} {COUNTED[term][0]})"
