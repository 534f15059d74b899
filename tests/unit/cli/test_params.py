"""Numbers on the command line: what is understood, and what is refused."""

import click
import pytest

from vmm.cli.params import Count, Definition, Size


@pytest.mark.parametrize(
    ("text", "value"),
    [("16M", 16 << 20), ("64k", 64 << 10), ("64KiB", 64 << 10), ("1g", 1 << 30), ("65536", 65536),
     ("0x80000000", 0x8000_0000), ("0.5M", 1 << 19), ("0", 0)],
)  # fmt: skip
def test_sizes(text, value):
    assert Size().convert(text, None, None) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1000", 1000), ("20e9", 20_000_000_000), ("1_000", 1000), ("2G", 2 * 10**9), ("0", 0)],
)
def test_counts(text, value):
    assert Count().convert(text, None, None) == value


@pytest.mark.parametrize("text", ["", "M", "-1", "x", "1.5", "1e99", "nan", "inf", "16MM", "3 4"])
def test_no_numbers(text):
    for kind in (Count(), Size()):
        with pytest.raises(click.BadParameter, match=r"is not a (size|count), such as"):
            kind.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("A=3", ("A", 3)), ("A=0x10", ("A", 16)), ("A", ("A", 1)), ("a.b=-1", ("a.b", -1))],
)
def test_definitions(text, value):
    assert Definition().convert(text, None, None) == value


@pytest.mark.parametrize("text", ["", "1a=2", "a b=1", "A=x", "=3"])
def test_no_definitions(text):
    with pytest.raises(click.BadParameter):
        Definition().convert(text, None, None)
