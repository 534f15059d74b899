"""Scenarios for tests."""

import pytest

from vmm.scenario.build import build
from vmm.scenario.kernels import kernels
from vmm.scenario.read import read

SPIN = "_start: j _start\n"


@pytest.fixture
def made(tmp_path):
    """Write a scenario and read it; `spin.S` is beside it."""
    (tmp_path / "spin.S").write_text(SPIN)

    def made(text):
        (tmp_path / "s.toml").write_text(text)
        return read(tmp_path / "s.toml")

    return made


@pytest.fixture
def hosted(made):
    """The host of a scenario."""

    def hosted(text):
        scenario = made(text)
        return build(scenario, kernels(scenario))

    return hosted
