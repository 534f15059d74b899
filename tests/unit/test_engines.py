"""The engines by name."""

import pytest

from vmm import VirtualMachine, engines
from vmm.machine import new_machine


@pytest.mark.parametrize("name", ["qemu", "native", ""])
def test_a_name_that_no_engine_has_is_told_with_those_that_there_are(name):
    with pytest.raises(ValueError, match=r"no engine is called .*; there are trap, bt, pv"):
        VirtualMachine(engine=name)


def test_each_is_found_by_its_name():
    assert [engines.find(name).name for name in engines.names()] == list(engines.names())


@pytest.mark.parametrize("name", engines.names())
def test_what_is_known_beforehand_is_what_the_engine_says(name):
    facts, engine = engines.facts(name), engines.find(name)
    for trait in ("paging", "leaks", "build", "options"):
        assert getattr(facts, trait) == getattr(engine, trait)


def test_what_a_paravirtual_guest_must_have_is_what_its_engine_asks_for():
    from vmm.engines import pv

    facts = engines.facts("pv")
    assert (facts.mark, facts.max_mem) == (pv.MARK, pv.MAX_MEM)


def test_an_option_that_an_engine_does_not_have_is_refused():
    with pytest.raises(ValueError, match="the engine 'trap' has no option 'force'"):
        VirtualMachine(engine="trap", options={"force": "trap"})


@pytest.mark.compiled
@pytest.mark.parametrize("engine", [engines.NATIVE, *engines.names()])
def test_every_machine_answers_the_same_questions(engine):
    """Nobody asks what a machine is: one factory makes it, and it has host, exits, counters."""
    machine = new_machine(engine, mem=1 << 20)
    assert machine.virtual == (engine != engines.NATIVE)
    assert (machine.host.hart is machine.hart) != machine.virtual
    assert len(machine.ram) == 1 << 20 <= len(machine.host.ram)
    assert machine.exits() == {}
    assert isinstance(machine.counters(), dict)
