"""`compare` measures the same as the guests, and measuring changes nothing."""

import pytest

from guests import readings
from toyisa.tables.cost import load
from toyisa.tables.levels import Profile
from vmm.comparison.measure import BUDGET, measure
from vmm.comparison.subjects import (
    NATIVE,
    Setting,
    Subject,
    build_of,
    elf_of,
    machine_for,
    nano,
    subjects,
)
from vmm.comparison.whole import Guest, run_whole
from vmm.engines import names

P4 = Setting(Profile.STRICT, load("p4"))
ENGINES = subjects((NATIVE, *names()))


@pytest.mark.parametrize("subject", ENGINES, ids=lambda subject: subject.name)
@pytest.mark.parametrize("name", nano())
def test_events_come_to_what_the_guest_counts_unwatched(name, subject):
    elf = elf_of(nano()[name].source, build_of(subject))
    machine = machine_for(subject, P4)
    machine.load(elf)
    machine.end_input()
    machine.run(budget=BUDGET)
    found = readings.parse(machine.output().decode())
    rows = measure(name, elf, subject, P4)
    assert [row.benchmark for row in rows] == list(found)
    for row in rows:
        assert (row.total, row.iterations) == (
            found[row.benchmark].cycles, found[row.benchmark].iterations)  # fmt: skip
        assert sum(row.terms.values()) == row.total
        assert not row.wrong


def test_translating_is_a_term_of_cold_code_alone():
    subject = Subject("bt", "shadow")
    cold, warm = measure("cold", elf_of(nano()["cold"].source, ""), subject, P4)
    assert cold.terms["translation"] >= 12 * 2300 * cold.iterations
    assert warm.terms["translation"] == 0


def test_what_trap_gets_wrong_on_a_leaky_machine_is_said():
    setting = Setting(Profile.LEAKY, load("p4"))
    elf = elf_of(nano()["irq_toggle"].source, "")
    (row,) = measure("irq_toggle", elf, Subject("trap", "shadow"), setting)
    assert row.wrong == "interrupts are on after it"


@pytest.mark.parametrize("subject", ENGINES, ids=lambda subject: subject.name)
def test_a_whole_run_is_accounted_for(subject):
    import guests

    elf = elf_of(guests.catalogue()["ticks"].source, build_of(subject))
    run = run_whole(Guest("ticks", elf), subject, P4)
    machine = machine_for(subject, P4)
    machine.load(elf)
    machine.end_input()
    machine.run()
    assert not run.wrong
    assert run.console == machine.output().decode()
    assert sum(run.terms.values()) == run.total == machine.cycles
