"""Every privileged act goes through `pvops.inc`, and its table is its contract."""

import re

import pytest

import guests
from tests.guests import pvops
from tests.guests.build import assembled, words
from toyisa.insns import Sens, find

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
            if said.startswith("r"):  # rd, rs: any register that survives
                assert used not in operation.clobbers, place
            else:
                assert used == said, place


def test_every_operation_is_used():
    unused = pvops.macros() - {operation.name for _, operation, _ in uses()}
    assert unused == set()
