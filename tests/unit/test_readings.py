"""`guests/readings.py`: the lines that nano-benchmarks print."""

import pytest

from guests.readings import Reading, parse

CONSOLE = """\
nano syscall 20000 7940000
ok   each call was served
nano ptemod_batch 4096 417792 1
nano ptemod_batch 4096 212992 2
"""


def test_readings_by_key_in_their_order():
    assert parse(CONSOLE) == {
        "syscall": Reading("syscall", 20000, 7940000),
        "ptemod_batch:1": Reading("ptemod_batch", 4096, 417792, 1),
        "ptemod_batch:2": Reading("ptemod_batch", 4096, 212992, 2),
    }
    assert list(parse(CONSOLE)) == ["syscall", "ptemod_batch:1", "ptemod_batch:2"]


def test_cycles_an_operation():
    assert parse(CONSOLE)["syscall"].each == 397
    assert parse("nano x 4 -2")["x"].each == -0.5


def test_other_consoles_have_none():
    assert parse("") == parse("hello\nnanobots 1 2\n") == {}


@pytest.mark.parametrize(
    "line", ["nano ", "nano x", "nano x 1", "nano x 0 1", "nano x 1 2 0", "nano x 1 2 3 4",
             "nano x one 2", "nano x 1 2 ", "nano X 1 2", "nano x 1 0x2"],
)  # fmt: skip
def test_a_broken_line_is_refused_and_shown(line):
    with pytest.raises(ValueError, match="not a nano-benchmark's line") as caught:
        parse(line)
    assert repr(line) in str(caught.value)


def test_two_readings_of_one_thing_are_refused():
    with pytest.raises(ValueError, match="x is measured twice"):
        parse("nano x 1 2\nnano x 1 3\n")
