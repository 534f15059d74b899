"""The compiled core and the plain-Python model in lock step, with privileged code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lockstep.harts import (
    Core,
    Root,
    Setup,
    after_exit,
    model,
    model_state,
    within_rules,
)
from toyisa.tables.causes import INTERRUPT
from toyisa.tables.exits import Reason
from toyisa.tables.levels import Profile
from toyisa.testing.model import NotModelled
from toyisa.testing.modelled import BARREN
from toyisa.testing.states import RAM_BASE, machine_states

STEPS = 150

roots = st.builds(
    Root,
    deleg_exc=st.sampled_from([0xFFFFFDFF, 0xFFFFFDFF, 0, 0xB1FF, 0xFFFFFFFB]),
    deleg_int=st.sampled_from([0xFFFFFFFF, 0xFFFFFFFF, 0]),
    s_traps=st.sampled_from([0, 63, *(1 << bit for bit in range(6))]),
    s_limit=st.sampled_from([0, 0xFFC00000, RAM_BASE, 0x00401000, 1 << 12]),
    s_base=st.sampled_from([0, 0, 1 << 12, 1 << 22, RAM_BASE + 0x2000]),
    profile=st.sampled_from(list(Profile)),
    svade=st.sampled_from([0, 0, 1]),
)
presets = st.sampled_from(["p4", "core2", "modern"])
bare = st.builds(Setup, machine_states(), st.builds(Root, svade=st.integers(0, 1)), presets)
denied = st.builds(Setup, machine_states(), roots, presets)


def in_lock_step(setup: Setup) -> None:
    """Both take a step and are compared, STEPS times."""
    hart, core = model(setup), Core(setup)
    barren = 0
    for _ in range(STEPS):
        try:
            fx = hart.step()
        except NotModelled:  # an access to a device of which the model knows only the address
            return
        reason = core.step()
        if reason == Reason.STEP and fx.trap is None:
            fx = hart.step()  # the core took the interrupt that this retirement made due
            assert fx.trap is not None
            assert fx.trap[0] & INTERRUPT
        assert (reason == Reason.IDLE) == fx.idle
        assert (reason == Reason.TRAP) == (fx.exit is not None)
        assert model_state(hart) == core.state(), fx
        if fx.idle or not within_rules(hart, setup.kernel):
            return
        barren = barren + 1 if fx.trap or fx.exit else 0
        if barren >= BARREN:
            return
        if fx.exit:
            assert core.exit() == fx.exit
            after_exit(hart, core, fx)
    assert bytes(hart.bus.ram) == core.ram()


@settings(max_examples=80, deadline=None)
@given(setup=bare)
def test_every_step_on_the_bare_machine(setup):
    in_lock_step(setup)


@settings(max_examples=80, deadline=None)
@given(setup=denied)
def test_every_step_under_a_root_record(setup):
    in_lock_step(setup)


@settings(max_examples=80, deadline=None)
@given(setup=bare, budgets=st.lists(st.integers(1, 70), min_size=1, max_size=5))
def test_many_steps_at_once(setup, budgets):
    """The core stops at exactly the instruction that its budget names.

    An interrupt that is then pending belongs to the next run.
    """
    hart, core = model(setup), Core(setup)
    for budget in budgets:
        goal, barren = hart.retired + budget, 0
        while hart.retired < goal:
            fx = hart.step()
            barren = barren + 1 if fx.trap else 0
            if fx.idle or fx.exit or barren >= BARREN or not within_rules(hart, setup.kernel):
                return
        assert core.enter(goal, one_trap=False) == Reason.BUDGET
        assert model_state(hart) == core.state()
        assert bytes(hart.bus.ram) == core.ram()


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(setup=denied)
def test_many_more_steps(setup):
    in_lock_step(setup)
