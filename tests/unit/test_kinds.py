"""Compiled code asks for the class of an op by comparisons: they must say what the table says."""

import pytest

from toyisa.core import access, kinds
from toyisa.tables import bits
from toyisa.tables.csrs import BY_NAME as CSRS
from toyisa.tables.insns import BY_NAME, IN_MEMORY, Cost, Sens
from toyisa.tables.ops import FORMS, ROW_OF_OP, Op, between, op_name

ROWS = {op: BY_NAME[ROW_OF_OP[op]] for op in Op if op in ROW_OF_OP}
PLAIN = {op: row for op, row in ROWS.items() if op.name == op_name(row.name)}
CLASSES = {
    kinds.is_load: lambda row: row.cost is Cost.LOAD,
    kinds.is_store: lambda row: row.cost is Cost.STORE,
    kinds.is_branch: lambda row: row.cost is Cost.BRANCH,
    kinds.is_csr: lambda row: row.cost is Cost.CSR,
    kinds.is_sensitive: lambda row: row.sens is not Sens.INNOCUOUS,
}


@pytest.mark.parametrize("asks", CLASSES, ids=lambda asks: asks.__name__)
def test_a_class_is_its_rows(asks):
    says = {op.name for op in PLAIN if asks.py_func(int(op))}
    assert says == {op.name for op, row in PLAIN.items() if CLASSES[asks](row)}
    assert not asks.py_func(int(Op.ILLEGAL))
    assert not asks.py_func(int(Op.STOP))


def test_a_form_with_x0_is_the_op_of_its_row():
    for op, row in ROWS.items():
        formed = op.name in FORMS and op.name.endswith("_ABS")
        expected = Op[op_name(row.name)] if formed else op
        assert kinds.plain_op.py_func(int(op)) == expected, op.name


def test_sizes_are_those_of_funct3():
    for op, row in PLAIN.items():
        if row.cost in IN_MEMORY:
            assert access.access_size.py_func(int(op)) == row.size, row.name


def test_rows_of_a_class_stand_together():
    with pytest.raises(ValueError, match="rows of other kinds stand between the rows that are"):
        between("loads or divisions", lambda row: row.cost in (Cost.LOAD, Cost.DIV))


def test_what_a_write_changes_are_fields_with_a_name():
    """The column `writable` and the fields are written apart, and say the same."""
    for name in ("sstatus", "sie", "scounteren"):
        fields = [mask for field, mask in bits.BITS.items() if field.startswith(name.upper())]
        assert CSRS[name].writable == sum(fields), name
    assert CSRS["sip"].writable == bits.SIP_SSIP
    satp = bits.SATP_MODE_SV32 | bits.SATP_ASID_MASK | bits.SATP_PPN_MASK
    assert CSRS["satp"].writable == satp
