"""`Machine.step` reports for each instruction what the model does."""

from hypothesis import given, settings

from tests.lockstep.subjects import CODE, Core, model_hart
from toyisa.testing.programs import programs


@settings(max_examples=40, deadline=None)
@given(program=programs())
def test_effects_of_user_instructions(program):
    hart, machine = model_hart(program), Core().load(program)
    while hart.pc != CODE + 4 * len(program.words):
        want, got = hart.step(), machine.step()
        assert (got.pc, got.insn, got.next_pc) == (want.pc, want.insn, want.next_pc)
        assert (got.load, got.store) == (want.load, want.store)
        assert got.reg == want.reg
        assert got.trap is None
