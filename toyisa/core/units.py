"""Answers for the units of compiled code: compiled side by side, linked by address.

The loop, the slow paths and the decode pool call each other by the addresses in the memory
record.  Must not know what they do.
"""

import numpy as np

from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core.bare import run_bare
from toyisa.core.decodepool import manage_pool
from toyisa.core.execute import execute
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE
from toyisa.core.serve import serve


def link(hart: np.record, memory: np.record) -> None:
    """Put the units' addresses into the memory record; load or compile the units."""
    types = unit_types(hart, memory)
    memory.execute = unit_address(execute, types)
    memory.serve = unit_address(serve, types)
    memory.manage_pool = unit_address(manage_pool, types)


def compile_all() -> None:
    """Compile the units on a cold start."""
    made = Hardware(PAGE)
    link(made.hart, made.memory)
    run_bare.compile(unit_types(made.hart, made.memory)[:2])
