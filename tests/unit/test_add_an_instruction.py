"""What an instruction takes beside its row, for docs/howto/add-an-instruction.md.

Each failure says in a sentence which file lacks what.
"""

from itertools import product

import pytest

from toyisa.core import alu
from toyisa.tables import gendocs
from toyisa.tables.extensions import EXTENSIONS
from toyisa.tables.insns import INSNS
from toyisa.testing.model import alu as model
from toyisa.testing.programs import CORNERS

ARITHMETIC = [row for row in INSNS if row.arithmetic]


@pytest.mark.parametrize("row", ARITHMETIC, ids=lambda row: row.name)
def test_the_machine_knows_what_it_computes(row):
    assert hasattr(alu, row.function), (
        f"toyisa/core/alu.py has no function `{row.function}`, "
        f"which says what `{row.name}` computes"
    )


@pytest.mark.parametrize("row", ARITHMETIC, ids=lambda row: row.name)
def test_the_model_knows_what_it_computes(row):
    assert row.name in model.COMPUTE, (
        f"toyisa/testing/model/alu.py has no line `{row.register_form}` in _RAW, "
        f"by which the tests check `{row.name}`"
    )


@pytest.mark.parametrize("row", ARITHMETIC, ids=lambda row: row.name)
def test_machine_and_model_compute_the_same(row):
    ours, theirs = getattr(alu, row.function, None), model.COMPUTE.get(row.name)
    if ours is None or theirs is None:
        pytest.skip("one of them is missing, which another test says")
    for a, b in product(CORNERS, CORNERS):
        operands = (a, b)[: ours.py_func.__code__.co_argcount]
        result = int(ours.py_func(*operands))
        assert result == theirs(a, b), (
            f"`{row.name}` of {a:#x} and {b:#x} is {result:#x} by toyisa/core/alu.py, "
            f"but {theirs(a, b):#x} by toyisa/testing/model/alu.py"
        )


def test_the_reference_shows_every_instruction():
    page = gendocs.PATH.read_text(encoding="utf-8")
    missing = [row.name for row in INSNS if f"| `{row.name} {row.operands}".rstrip() not in page]
    assert not missing, f"docs/isa.md does not show {missing}: run `make gen`"


def test_the_parts_of_a_known_extension_are_said_to_be_of_it():
    """So that the extension becomes whole when the last of them is there."""
    of = {name: extension.name for extension in EXTENSIONS for name in extension.whole}
    for row in INSNS:
        assert row.ext == of.get(row.name, row.ext), (
            f"toyisa/tables/insns.py: `{row.name}` is of {row.ext}, "
            f"but extensions.py has it among those of {of[row.name]}"
        )
