"""What `lockstep` compares, what it refuses to call equal, and what its reports say."""

from types import SimpleNamespace

import pytest

import asm
from toyisa.core.memory import RAM_BASE
from toyisa.machine import Machine
from toyisa.testing import Divergence, lockstep, shrink_report, write_elf
from toyisa.testing.code import Code

SHUTDOWN = "li a7, 8\necall\n"
LOOP = "again: addi a0, a0, 1\nj again\n"


def loaded(text=SHUTDOWN):
    (section, *_) = asm.assemble_text(text).sections
    machine = Machine(mem=1 << 20)
    machine.load(write_elf({RAM_BASE: bytes(section.data)}, RAM_BASE))
    return machine


class Mine:
    """A subject as people write them, around a machine: without `ended`."""

    def __init__(self, text=SHUTDOWN):
        self.machine = loaded(text)

    def step(self):
        return self.machine.step()

    def state(self):
        return {"pc": int(self.machine.hart.pc), "a0": int(self.machine.hart.x[10])}


class Telling(Mine):
    """A subject that says whether it has ended."""

    @property
    def ended(self):
        return bool(self.machine.how)


class Never(Mine):
    ended = False


def test_who_does_not_tell_its_end_is_not_compared_by_it():
    assert lockstep(loaded(), Mine(), 50_000) is None
    assert lockstep(Mine(), loaded(), 50_000) is None
    assert lockstep(loaded(), Telling(), 50_000) is None


@pytest.mark.parametrize(("pair", "said"), [
    ((loaded, Never), "a has ended, b goes on"), ((Never, Telling), "b has ended, a goes on"),
])  # fmt: skip
def test_an_end_of_one_is_reported_where_it_came(pair, said):
    found = lockstep(*(make() for make in pair), 50_000)
    assert found.steps == 2
    report = shrink_report(found)
    assert said in report
    assert "step 2: " in report
    assert "ecall" in report.partition("here")[2]


@pytest.mark.parametrize(("fields", "named"), [
    (("regs",), "'regs'"), (("pc", "registers"), "'registers'"), ("pcs", "'pcs'"),
])  # fmt: skip
def test_a_misspelt_field_is_refused(fields, named):
    with pytest.raises(ValueError, match=f"fields: there is no {named}; there are pc insn reg"):
        lockstep(loaded(), loaded(), 10, fields)


def test_one_field_may_be_named_as_it_is_and_any_iterable_holds_for_all_steps():
    other = "li a7, 8\nli a0, 1\necall\n"
    for fields in ("insn", iter(["insn"])):
        assert lockstep(loaded("nop\n" + SHUTDOWN), loaded("nop\n" + other), 9, fields).steps == 3


def test_a_misspelt_name_in_a_state_is_refused():
    class Misspelt(Mine):
        def state(self):
            return {"pc": 0, "x10": 0, "PRIV": 1}

    with pytest.raises(ValueError, match=r"state\(\) of b: there is no 'x10', 'PRIV'; .* a0 .* pc"):
        lockstep(loaded(), Misspelt(), 10)


@pytest.mark.parametrize("answer", [None, {"pc": RAM_BASE}, SimpleNamespace(PC=RAM_BASE)])
def test_a_step_without_any_of_the_fields_is_refused(answer):
    class Silent(Mine):
        def step(self):
            super().step()
            return answer

    for pair in ((loaded(), Silent()), (Silent(), loaded())):
        with pytest.raises(TypeError, match=r"must answer an object with some of pc insn reg"):
            lockstep(*pair, 10)
    assert lockstep(loaded(), Silent(), 10, fields=()) is None  # the state alone, as asked


def test_two_who_have_nothing_in_common_are_refused():
    class Some(Mine):
        def __init__(self, answer, state):
            super().__init__()
            self.answer, self.shown = answer, state

        def step(self):
            return self.answer

        def state(self):
            return self.shown

    with pytest.raises(TypeError, match="none in common of pc insn"):
        lockstep(Some(SimpleNamespace(pc=0), {}), Some(SimpleNamespace(insn=0), {}))
    with pytest.raises(ValueError, match="nothing is compared"):
        lockstep(Some(None, {"a0": 1}), Some(None, {"a1": 1}), fields=())


def test_what_one_leaves_out_is_not_compared():
    class Little(Mine):
        def step(self):
            return SimpleNamespace(next_pc=super().step().next_pc)

        def state(self):
            return {}

    assert lockstep(loaded(), Little()) is None
    assert lockstep(loaded(), Little("j over\nnop\nover: nop\n")).fields == ("next_pc",)


def test_machines_with_nothing_to_run_are_refused():
    with pytest.raises(ValueError, match="nothing is loaded into a"):
        lockstep(Machine(mem=1 << 20), Machine(mem=1 << 20), 10)
    with pytest.raises(ValueError, match="nothing is loaded into b"):
        lockstep(loaded(), Machine(mem=1 << 20), 10)
    over = loaded()
    over.run()
    with pytest.raises(ValueError, match="b has ended before the first step"):
        lockstep(loaded(), over)


ODD = {
    "reg": [("a0", 1), (10,), (99, 1), 5, None, "a0", (10, None)],
    "load": [(1, 2), True, [1, 2, None], (-1, 2, 4)],
    "store": [(1, 2), 7, "none"],
    "trap": [13, True, False, (13,), (None, None), (1.5, 0)],
    "pc": [None, "0x80000000", -4, 1 << 40],
    "insn": ["addi", -1, 1 << 40, 1.5, (1,)],
    "csrs": [None, {"sepc": 4}, 3],
    "next_pc": [None, (1, 2)],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, odd in ODD.items() for v in odd])
def test_whatever_a_subject_answers_is_printed(field, value):
    class Odd(Mine):
        def step(self):
            effects = super().step()
            effects.__dict__[field] = value
            return effects

    report = shrink_report(lockstep(loaded(), Odd(), fields=ODD))
    assert f"  {field:9} a: " in report
    assert f"  {field:9} b: " in report


@pytest.mark.parametrize("value", [None, "1", -1, 1.5, (1, 2), 1 << 40])
def test_whatever_a_state_holds_is_printed(value):
    class Odd(Mine):
        def state(self):
            return {"a0": value}

    report = shrink_report(lockstep(loaded(), Odd()))
    assert "  a0        a: 0x00000000   b: " in report
    assert report.count("\n") == 2


def test_a_list_is_as_good_as_a_tuple_and_what_differs_looks_different():
    class Lists(Mine):
        def step(self):
            effects = super().step()
            for name, value in vars(effects).items():
                effects.__dict__[name] = list(value) if isinstance(value, tuple) else value
            return effects

    assert lockstep(loaded(), Lists()) is None
    word = Code().e("addi", 31, 0, 1).words()[0]
    step = {"pc": RAM_BASE, "insn": word}
    a, b = SimpleNamespace(**step, reg=(31, 1)), SimpleNamespace(**step, reg=(-1, 1))
    report = shrink_report(Divergence(1, None, a, b, ("reg",), {}))
    assert "reg       a: (31, 1)" in report
    assert "reg       b: (-1, 1)" in report


def test_the_instruction_is_shown_by_who_knows_it():
    class Blind(Mine):
        def step(self):
            return SimpleNamespace(reg=(17, 9), pc=super().step().pc)

    for pair in ((loaded(), Blind()), (Blind(), loaded())):
        assert "here      80000000: 00800893  addi a7, zero, 8" in shrink_report(lockstep(*pair))
