"""The generated include file for guests is not stale."""

from asm import geninc


def test_riscv_inc_is_what_the_tables_say():
    assert geninc.PATH.read_text() == geninc.render()
