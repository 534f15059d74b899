"""The ABI's table is whole, and what is generated from it is not stale."""

from vmm.abi import genhyp, hypercalls
from vmm.abi.hypercalls import BATCHED, Call


def test_the_include_file_is_what_the_table_says():
    """If this fails: `make gen`."""
    assert genhyp.INCLUDE.read_text(encoding="utf-8") == genhyp.include()


def test_the_page_is_what_the_table_says():
    assert genhyp.PAGE.read_text(encoding="utf-8") == genhyp.page()


def test_numbers_are_the_rows():
    assert [call.name.lower() for call in Call] == [row.name for row in hypercalls.ROWS]
    assert Call.SET_TRAP == 0
    assert {Call.IRET, Call.BLOCK, Call.MULTICALL}.isdisjoint(BATCHED)


def test_every_word_has_a_meaning():
    assert set(hypercalls.WORD_MEANING) == set(hypercalls.Word)
