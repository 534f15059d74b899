"""A chunk of a campaign keeps nothing of the cases that fail."""

import weakref

from hypothesis import strategies as st

from vmm.fuzz.case import Case, Violation
from vmm.fuzz.hunt import hunt
from vmm.fuzz.laws import Law
from vmm.fuzz.seen import Seen


class Machine:
    """Stands for a machine that a check makes, and that takes much memory."""


def test_machines_of_cases_that_fail_are_not_kept():
    alive: weakref.WeakSet[Machine] = weakref.WeakSet()
    most = [0]

    def check(case: Case, _seen: Seen) -> None:
        machine = Machine()
        alive.add(machine)
        most[0] = max(most[0], len(alive))
        if sum(case.image) > 100:
            raise Violation("little", len(case.image))

    def cases(_engine: str) -> st.SearchStrategy[Case]:
        return st.binary(max_size=64).map(Case)

    failure, _ = hunt(Law("small", "", cases, check), "native", 1, 0, Seen(), lambda case: None)
    assert failure is not None
    assert sum(failure.case.image) == 101  # shrunk, so many failed
    assert most[0] <= 3
