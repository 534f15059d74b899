"""A benchmark's events come to the cycles that it prints; if one goes wrong, that is said."""

import pytest

import asm
import guests
from toyisa.tables.cost import load
from toyisa.tables.levels import Profile
from vmm.comparison.measure import MeasureError, measure
from vmm.comparison.subjects import Setting, Subject

MODERN = Setting(Profile.STRICT, load("modern"))
NATIVE = Subject("native", "own")
ENGINES = [NATIVE, Subject("trap", "shadow"), Subject("bt", "shadow")]
GUEST = """
    .include "include/nano.inc"
    .include "lib/nano.S"

    .text
main:
    PROLOGUE
    {main}
    EPILOGUE

OPERATION full
    li      s3, 3
BODY
    mul     t2, s3, s3
    add     s1, s1, t2
END

OPERATION empty
    li      t2, 9
BODY
    add     s1, s1, t2
END

trap:
    j       panic_trap

    NANO_END
"""
TIMED = "NANO    mine, {count}, full, empty\n    li      a0, 0"


@pytest.fixture
def measured(tmp_path):
    def measured(main, subject=NATIVE):
        (tmp_path / "mine.S").write_text(GUEST.format(main=main))
        program = asm.assemble(tmp_path / "mine.S", include_dirs=[guests.ROOT])
        return measure("mine", program.elf(), subject, MODERN)

    return measured


@pytest.mark.parametrize("subject", ENGINES, ids=lambda subject: subject.name)
def test_a_benchmark_is_what_its_operation_has_and_the_empty_one_has_not(measured, subject):
    (row,) = measured(TIMED.format(count=8), subject)
    assert (row.benchmark, row.iterations, row.wrong) == ("mine", 8, "")
    assert row.events.counts["mul"] == 8
    assert sum(row.terms.values()) == row.total == 8 * row.cycles


def test_an_operation_costs_the_same_however_often_it_is_done(measured):
    few, many = (measured(TIMED.format(count=count))[0] for count in (8, 24))
    assert many.events.counts["mul"] == 3 * few.events.counts["mul"]
    once = few.total - 8 * MODERN.cost.price["mul"]  # `li s3`, for `li t2` that both have
    assert many.total - 24 * MODERN.cost.price["mul"] == once


@pytest.mark.parametrize(
    ("main", "wrong"),
    [
        ("CHECK_EQUAL zero, 1, \"one is zero\"\n    li a0, 0", "one is zero"),
        ("li      a0, 3", "exit code 1"),
        ("wfi\n    j main", "does not end: "),
        ("PRINT   \"nano mine 8 x\\n\"\n    li a0, 0", "not a nano-benchmark's line"),
    ],
)
def test_what_goes_wrong_is_said_and_costs_nothing(measured, main, wrong):
    (row,) = measured(main)
    assert wrong in row.wrong
    assert row.total == 0


def test_cycles_that_nobody_read_are_an_error(measured):
    with pytest.raises(MeasureError, match="mine under native: `cycle` was read 0 times, not 8"):
        measured("PRINT   \"nano mine 8 24\\n\"\n    li a0, 0")
