"""Answers for Popek and Goldberg, measured: which instructions are sensitive, which trap.

Each instruction, and each form of access to each CSR, is run from pairs of states that differ
in one thing (`paired.py`).  What differs afterwards classifies it.  The result must not
depend on what the tables declare; that is only compared with it.

After Popek and Goldberg, "Formal Requirements for Virtualizable Third Generation
Architectures", 1974.  Deprivileged S stands for their user mode, since guest kernels run in
it.  Everything of which root keeps a virtual copy stands for their relocation register.

    control sensitive    it completes in S on a bare machine and changes a resource:
                         level, CSR, TLB, time
    behaviour sensitive  it completes in two states that differ in level, location or a
                         resource, and the program can see the difference
    privileged           it traps in deprivileged S and in U, from every state, and
                         completes in S on a bare machine
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from toyisa.tables.csrs import CSRS
from toyisa.tables.fields import rs1_of
from toyisa.tables.insns import INSNS, Cost, Insn
from toyisa.tables.levels import Profile
from vmm.theory.paired import (
    AT_DATA,
    AT_MORE,
    BARE_S,
    BASES,
    CHANGES,
    DEPRIVILEGED,
    ONES,
    USER,
    ZEROS,
    Laboratory,
    Outcome,
    State,
)

OPERANDS = {"rd": 5, "rs2": 7, "imm12": 8, "simm12": 8, "branch": 16, "jump": 16,
            "imm20": 0x12345, "shamt": 3, "pred": 15, "succ": 15}  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What is classified: an instruction, or one form of access to one CSR; and the words to
    run.
    """

    name: str
    declared: str
    words: tuple[int, ...]
    csr: str = ""   # the CSR's name
    form: str = ""  # read, write, or read+write


@dataclass(frozen=True)
class Counterexample:
    """Two states, the instruction, two outcomes; `kind` is the hole that they show."""

    kind: str
    word: int
    states: tuple[State, State]
    outcomes: tuple[Outcome, Outcome]


@dataclass
class Result:
    """What the runs showed about a subject."""

    subject: Subject
    control: bool = False
    depends_on: frozenset[str] = frozenset()  # of "level", "location", "resource"
    privileged: bool = False
    violation: Counterexample | None = None       # of theorem 1
    user_violation: Counterexample | None = None  # of theorem 3

    @property
    def measured(self) -> str:
        return ("C" if self.control else "") + ("B" if self.depends_on else "") or "-"

    @property
    def agrees(self) -> bool:
        """Whether the tables say the same; for an instruction that is both they have only the
        letter C.
        """
        letters = self.measured if self.subject.csr else self.measured.replace("CB", "C")
        return self.subject.declared == letters


@dataclass
class Classification:
    """All results for a profile, and the verdicts."""

    profile: Profile
    results: list[Result] = field(default_factory=list)

    @property
    def theorem1(self) -> list[Result]:
        """Subjects that are sensitive and not privileged: these contradict trap-and-emulate."""
        return [result for result in self.results if result.violation]

    @property
    def theorem3(self) -> list[Result]:
        """Subjects that are sensitive in U and not privileged: these contradict the hybrid
        monitor.
        """
        return [result for result in self.results if result.user_violation]


def subjects() -> Iterator[Subject]:
    """Every row of the instruction table; those that access CSRs, once for each form."""
    for row in INSNS:
        if row.cost is Cost.CSR:
            yield from _forms(row)
        else:
            words = (_word(row, rs1=register) for register in (AT_DATA, AT_MORE))
            yield Subject(row.name, row.sens.value, tuple(dict.fromkeys(words)))


def _word(row: Insn, **chosen: int) -> int:
    return row.encode(*({**OPERANDS, **chosen}[f.name] for f in row.fields))


def _forms(row: Insn) -> Iterator[Subject]:
    """csrrw reads or does not, csrrs and csrrc write or do not; from a register or an immediate."""
    swap = row.name.startswith("csrrw")
    sources = (0, 31) if row.name.endswith("i") else (ONES, ZEROS)
    for csr in CSRS:
        for reads, writes in ((True, True), (not swap, swap)):
            given = sources if writes else (0,)
            words = (
                row.encode(OPERANDS["rd"] if reads else 0, csr.number, source) for source in given
            )
            declared = "C" if writes and "C" in csr.sens else ""
            declared += "B" if reads and "B" in csr.sens else ""
            if writes and csr.read_only:
                declared = ""  # it is illegal at every level
            form = "+".join(["read"] * reads + ["write"] * writes)
            words = tuple(w for w in words if not writes or swap or rs1_of(w))
            name = f"{row.name} {csr.name} ({form})"
            yield Subject(name, declared or "-", words, csr.name, form)


def classify(profile: Profile) -> Classification:
    """Run everything from every pair of states."""
    laboratory = Laboratory(profile)
    return Classification(profile, [_measure(laboratory, subject) for subject in subjects()])


def _measure(laboratory: Laboratory, subject: Subject) -> Result:
    result = Result(subject)
    completes = dict.fromkeys((BARE_S, DEPRIVILEGED, USER), False)
    for word in subject.words:
        for base in range(len(BASES)):
            bare, denied, user = (
                _Runs(laboratory, word, State(context, base)) for context in completes
            )
            for runs in (bare, denied, user):
                completes[runs.context] |= any(o.completed for _, o in runs.all)
            result.control |= any(o.completed and o.resources for _, o in bare.all)
            result.depends_on |= bare.shown()
            if _by_level(bare, denied) or _by_level(bare, user):
                result.depends_on |= {"level"}
            if result.violation is None or result.violation.kind != "drop":
                found = _violation(bare, denied) or _violation(bare, user)
                result.violation = found or result.violation
            if result.user_violation is None:
                result.user_violation = user.sensitive()
    sensitive = result.control or bool(result.depends_on)
    trapped = not (completes[DEPRIVILEGED] or completes[USER])
    result.privileged = completes[BARE_S] and trapped
    if not sensitive or result.privileged:
        result.violation = None
    return result


class _Runs:
    """One instruction in one context: in the plain state, moved, and under each change."""

    def __init__(self, laboratory: Laboratory, word: int, state: State) -> None:
        self.word, self.context = word, state.context
        others = [state.but(moved=True), *(state.but(change=change) for change in CHANGES)]
        self.plain = (state, laboratory.run(word, state))
        self.others = [(other, laboratory.run(word, other)) for other in others]

    @property
    def all(self) -> Iterable[tuple[State, Outcome]]:
        return (self.plain, *self.others)

    def depends(self) -> Counterexample | None:
        """A change that the program can see in the result of the instruction."""
        state, outcome = self.plain
        for other, differently in self.others:
            if _apart(outcome, differently):
                return Counterexample(_hole(other), self.word, (state, other),
                                      (outcome, differently))  # fmt: skip
        return None

    def shown(self) -> set[str]:
        """What the program can see of the states, apart from the level."""
        _state, outcome = self.plain
        return {
            "location" if other.moved else "resource"
            for other, differently in self.others if _apart(outcome, differently)
        }  # fmt: skip

    def sensitive(self) -> Counterexample | None:
        """`depends`, or a resource changed."""
        state, outcome = self.plain
        if outcome.completed and outcome.resources:
            return Counterexample("change", self.word, (state, state), (outcome, outcome))
        return self.depends()


def _apart(a: Outcome, b: Outcome) -> bool:
    """Whether both completed, and the program sees a difference."""
    return a.completed and b.completed and a.visible != b.visible


def _hole(other: State) -> str:
    """`leak` if a register shows it, `real` if the level or the tables do."""
    return "real" if other.change and other.change.startswith("tables") else "leak"


def _by_level(bare: _Runs, lower: _Runs) -> Counterexample | None:
    """The same state at two levels, with two results and no trap."""
    (state, outcome), (other, differently) = bare.plain, lower.plain
    if _apart(outcome, differently):
        return Counterexample("real", bare.word, (state, other), (outcome, differently))
    return None


def _violation(bare: _Runs, lower: _Runs) -> Counterexample | None:
    """Why a guest kernel in `lower` differs from one on a bare machine, without a trap."""
    (state, outcome), (other, differently) = bare.plain, lower.plain
    if outcome.completed and differently.completed:
        if outcome.resources != differently.resources:
            return Counterexample("drop", bare.word, (state, other), (outcome, differently))
    return lower.depends() or _by_level(bare, lower)
