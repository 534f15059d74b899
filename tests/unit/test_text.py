"""Text for a terminal fits 80 columns, and loses nothing."""

from hypothesis import given
from hypothesis import strategies as st

from vmm.text import WIDTH, layout, wrap

words = st.text(st.characters(categories=["L", "N"], max_codepoint=126), min_size=1, max_size=14)


@given(st.integers(1, 12).flatmap(
    lambda columns: st.lists(st.lists(words, min_size=columns, max_size=columns),
                             min_size=1, max_size=5)))  # fmt: skip
def test_a_table_fits_and_has_every_cell(table):
    lines = layout([["head", *row] for row in table])
    assert max(map(len, lines)) <= WIDTH
    shown = sorted(word for line in lines for word in line.split() if word != "head")
    assert shown == sorted(cell for row in table for cell in row)


def test_what_fits_is_one_table():
    assert layout([["a", "long"], ["bb", "1"]]) == ["a   long", "bb     1"]


@given(st.lists(words, min_size=1, max_size=40))
def test_a_long_line_is_cut_between_words(words):
    lines = wrap([f"  {' '.join(words)}"])
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(lines).split() == words
    assert all(line.startswith("      ") for line in lines[1:])
