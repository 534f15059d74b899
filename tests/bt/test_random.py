"""Random kernels under `bt` in its ways do the same as on the bare machine.

They have CSR accesses, traps, edits of tables, jumps through registers, code that changes,
and the timer; after each edit there is a fence.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bt.ways import WAYS, same
from tests.tablekernels import RAM_SIZE, table_kernels
from toyisa.testing import kernels

ways = st.sampled_from(sorted(WAYS))
costs = st.sampled_from(["p4", "modern"])
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def examples(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=CHECKS)


def check(kernel, way, cost):
    def prepare(machine):
        machine.load(kernel.elf())
        machine.hart.clock.per_tick = 16
        machine.end_input()

    same(prepare, 20_000, way, mem=RAM_SIZE, cost=cost)


def check_tables(kernel, way, cost):
    same(kernel.put, 3000, way, mem=RAM_SIZE, cost=cost)


@examples(120)
@given(kernels(), ways, costs)
def test_kernels(kernel, way, cost):
    check(kernel, way, cost)


@examples(80)
@given(table_kernels(fenced=True), ways, costs)
def test_kernels_that_edit_tables(kernel, way, cost):
    check_tables(kernel, way, cost)


@pytest.mark.slow
@examples(2000)
@given(kernels(max_size=60), ways, costs)
def test_many_kernels(kernel, way, cost):
    check(kernel, way, cost)


@pytest.mark.slow
@examples(1000)
@given(table_kernels(fenced=True, size=60), ways, costs)
def test_many_kernels_that_edit_tables(kernel, way, cost):
    check_tables(kernel, way, cost)
