"""Every privileged act goes through `pvops.inc`, and its table is its contract."""

import re

import pytest

import asm
import guests
from tests.guests import pvops
from tests.guests.build import assembled, words
from toyisa.tables.fields import REG_NAMES
from toyisa.tables.insns import Sens, find

KERNELS = list(guests.catalogue().values())


def privileged(word: int) -> bool:
    row = find(word)
    return row is not None and (row.sens is not Sens.INNOCUOUS or row.name == "ecall")


def test_the_table_lists_exactly_the_macros():
    assert set(pvops.operations()) == pvops.macros()


@pytest.mark.parametrize("guest", KERNELS, ids=lambda guest: guest.name)
def test_nothing_privileged_is_left_when_the_operations_are_empty(guest, tmp_path):
    found = words(assembled(guest, pvops=pvops.emptied(), where=tmp_path), ".text")
    assert [hex(address) for address, word in found if privileged(word)] == []
    assert any(privileged(word) for _, word in words(assembled(guest), ".text"))


def uses():
    """(file, line number, operation, operands) of each use in kernels and what they share."""
    for folder in ("lib", "kernels", "nano"):
        for file in sorted(guests.path(folder).rglob("*.S")):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = re.match(r"\s+([A-Z_]+)\b([^#]*)", line)
                if match and match[1] in pvops.operations():
                    operands = [word.strip() for word in match[2].split(",") if word.strip()]
                    yield f"{file.name}:{number}", pvops.operations()[match[1]], operands


def test_operands_are_the_registers_that_the_table_says():
    seen = list(uses())
    assert len(seen) > 50
    for place, operation, operands in seen:
        assert len(operands) == len(operation.operands), place
        for said, used in zip(operation.operands, operands, strict=True):
            if said.startswith("r"):  # rd, rs: any register that keeps its value
                assert used not in operation.clobbers, place
            else:
                assert used == said, place


def test_every_operation_is_used():
    unused = pvops.macros() - {operation.name for _, operation, _ in uses()}
    assert unused == set()


PATCHED = guests.path("include/pvops_pv.inc").read_text()
STEM = """
    .include "include/pvops.inc"
    .globl  _start
_start:
"""
TAIL = """
panic: trap_entry: trap_entry_end: trap_return: trap_return_end:
    ebreak
"""


def test_the_patched_file_has_every_operation():
    """With the same operands; it may have further operations."""
    shapes = {m[1]: len(m[2].split()) for m in pvops.MACRO.finditer(PATCHED)}
    native = {m[1]: len(m[2].split()) for m in pvops.MACRO.finditer(pvops.source())}
    assert {name: shapes.get(name) for name in native} == native


def changed(program, first, last):
    """Registers that the instructions from one symbol up to another change."""
    start, end = (program.symbols[name].value for name in (first, last))
    found = set()
    for address, word in words(program, ".text"):
        if start <= address < end:
            row = find(word)
            assert row is not None, hex(word)
            if "rd" in re.split(r"\W+", row.operands):
                found.add(REG_NAMES[word >> 7 & 31])
    return found - {"zero"}


@pytest.mark.parametrize("name", sorted(set(pvops.operations()) - {"IRET_USER", "IRET_KERNEL"}))
def test_patched_operations_change_no_other_registers(name):
    """Including the routines that it calls; a hypercall itself changes at most a0 and a1."""
    operation = pvops.operations()[name]
    free = iter(("s2", "s3", "s4"))
    operands = [said if not said.startswith("r") else next(free) for said in operation.operands]
    body = f"begin:\n    {name} {', '.join(operands)}\nend:\n"
    program = asm.assemble_text(STEM + body + TAIL, include_dirs=[guests.ROOT], defines={"PV": 1})
    allowed = {*operation.clobbers, *pvops.ANSWERS.get(name, ())}
    if name == "SHUTDOWN":  # it does not return
        allowed |= {"a0", "a1", "a6", "a7"}
    allowed |= {o for o, said in zip(operands, operation.operands) if said.startswith("rd")}
    allowed |= {o for o, said in zip(operands, operation.operands) if said in ("rlo", "rhi")}
    assert changed(program, "begin", "end") <= allowed


def test_patched_routines_change_no_more_than_hypercalls_may():
    program = asm.assemble_text(STEM + TAIL, include_dirs=[guests.ROOT], defines={"PV": 1})
    found = changed(program, "pv_set_pte", "pv_refused")
    assert found <= set(pvops.SETS["hyp"])
    assert found >= {"a0", "a1", "a6", "a7", "t0"}
