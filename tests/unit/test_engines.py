"""The engines by name."""

import pytest

from vmm import VirtualMachine, engines


@pytest.mark.parametrize("name", ["qemu", "native", ""])
def test_a_name_that_no_engine_has_is_told_with_those_that_there_are(name):
    with pytest.raises(ValueError, match=r"no engine is called .*; there are trap, bt, pv"):
        VirtualMachine(engine=name)


def test_each_is_found_by_its_name():
    assert [engines.find(name).name for name in engines.names()] == list(engines.names())


@pytest.mark.parametrize("name", engines.names())
def test_what_is_known_beforehand_is_what_the_engine_says(name):
    facts, engine = engines.facts(name), engines.find(name)
    assert (facts.paging, facts.leaks, facts.build) == (engine.paging, engine.leaks, engine.build)


def test_what_a_paravirtual_guest_must_have_is_what_its_engine_asks_for():
    from vmm.engines import pv

    facts = engines.facts("pv")
    assert (facts.mark, facts.max_mem) == (pv.MARK, pv.MAX_MEM)
