"""The table of the ABI is complete, and what is generated from it is not stale."""

from vmm.abi import genhyp, hypercalls
from vmm.abi.hypercalls import BATCHED, Call


def test_the_include_file_is_what_the_table_says():
    """If this fails: `make gen`."""
    assert genhyp.INCLUDE.read_text(encoding="utf-8") == genhyp.include()


def test_the_page_is_what_the_table_says():
    assert genhyp.PAGE.read_text(encoding="utf-8") == genhyp.page()


# Guests were built with these numbers.  If a number changes, or goes to another call, they silently
# break: add lines, and change none.
PUBLISHED = {
    "set_trap": 0, "iret": 1, "event": 2, "block": 3, "yield": 4, "set_timer": 5, "irq_mask": 6,
    "new_base": 7, "set_pte": 8, "set_pgd": 9, "set_pte_flush": 10, "update_ptes": 11,
    "pin_table": 12, "unpin_table": 13, "flush": 14, "flush_page": 15, "multicall": 16,
    "console_write": 17, "console_read": 18, "device_read": 19,
}  # fmt: skip


def test_a_call_keeps_its_number():
    numbers = {row.name: row.number for row in hypercalls.ROWS}
    changed = {name for name in PUBLISHED if numbers.get(name) != PUBLISHED[name]}
    assert not changed, f"guests are built with the old numbers of {sorted(changed)}"
    assert numbers == PUBLISHED, "a new call: add its number to PUBLISHED, to be kept for ever"


def test_a_call_goes_by_the_number_in_its_row():
    assert {call.name.lower(): call.value for call in Call} == PUBLISHED
    assert len({row.number for row in hypercalls.ROWS}) == len(hypercalls.ROWS)
    assert {Call.IRET, Call.BLOCK, Call.MULTICALL}.isdisjoint(BATCHED)


def test_every_word_has_a_meaning():
    assert set(hypercalls.WORD_MEANING) == set(hypercalls.Word)
