"""Answers for what kind of instruction an op is: the class of its row in the table.

`ops.py` makes sure that the ops of a class have consecutive numbers, so compiled code needs
two comparisons.  Must not know what an op does.
"""

from toyisa.compiled.njit import njit
from toyisa.tables.insns import Cost, Insn, Sens
from toyisa.tables.ops import ABS, between


def _class(cost: Cost, form: str = "") -> tuple[int, int]:
    return between(f"of class {cost.value}", lambda row: row.cost is cost, form)


def _privileged(row: Insn) -> bool:
    return row.sens in (Sens.CONTROL, Sens.BEHAVIOUR)


_LOAD, _LAST_LOAD = _class(Cost.LOAD)
_STORE, _LAST_STORE = _class(Cost.STORE)
_BRANCH, _LAST_BRANCH = _class(Cost.BRANCH)
_CSR, _LAST_CSR = _class(Cost.CSR)
_LOAD_ABS, _LAST_LOAD_ABS = _class(Cost.LOAD, ABS)
_STORE_ABS, _LAST_STORE_ABS = _class(Cost.STORE, ABS)
_PRIVILEGED, _LAST_PRIVILEGED = between("sensitive, and no CSR's", _privileged)


@njit
def is_load(op):
    return _LOAD <= op <= _LAST_LOAD


@njit
def is_store(op):
    return _STORE <= op <= _LAST_STORE


@njit
def is_branch(op):
    return _BRANCH <= op <= _LAST_BRANCH


@njit
def is_csr(op):
    """Whether it reads and writes a CSR."""
    return _CSR <= op <= _LAST_CSR


@njit
def is_sensitive(op):
    """Whether the row is sensitive: CSRs, sret, wfi, sfence.vma, probe.

    These are what root emulates when they trap.
    """
    return is_csr(op) or _PRIVILEGED <= op <= _LAST_PRIVILEGED


@njit
def plain_op(op):
    """The row's op, for an op or its form with x0 as the base register."""
    if _LOAD_ABS <= op <= _LAST_LOAD_ABS:
        return op - _LOAD_ABS + _LOAD
    if _STORE_ABS <= op <= _LAST_STORE_ABS:
        return op - _STORE_ABS + _STORE
    return op
