"""The engines by name."""

import pytest

from vmm import VirtualMachine, engines


@pytest.mark.parametrize("name", ["qemu", "native", ""])
def test_a_name_that_no_engine_has_is_told_with_those_that_there_are(name):
    with pytest.raises(ValueError, match=r"no engine is called .*; there are trap, bt, pv"):
        VirtualMachine(engine=name)


def test_each_is_found_by_its_name():
    assert [engines.find(name).name for name in engines.names()] == list(engines.names())
