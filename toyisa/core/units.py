"""Answers for the units of compiled code: compiled side by side, linked by address.

The loop, the slow paths and the decode pool call one another by the addresses that
stand in the memory record.  Must not know what they do.
"""

import numpy as np

from toyisa.compiled import jitcache
from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core import state
from toyisa.core.bare import run_bare
from toyisa.core.execute import execute
from toyisa.core.memory import PAGE, new_memory
from toyisa.core.pool import manage_pool
from toyisa.core.serve import serve


def link(hart: np.record, memory: np.record) -> None:
    """Put the units' addresses into the memory record, loading or compiling them."""
    types = unit_types(hart, memory)
    memory.execute = unit_address(execute, types)
    memory.serve = unit_address(serve, types)
    memory.manage_pool = unit_address(manage_pool, types)


def compile_all() -> None:
    """Compile the units on a cold start, the slow paths in a process of their own."""
    with jitcache.beside("from toyisa.core import units; units.compile_serve()"):
        hart, (memory, _ram) = state.new_hart(), new_memory(PAGE)
        types = unit_types(hart, memory)
        execute.compile(types)
        run_bare.compile(types[:2])
        manage_pool.compile(types)


def compile_serve() -> None:
    """Compile the slow paths, for the process that asked for it."""
    hart, (memory, _ram) = state.new_hart(), new_memory(PAGE)
    unit_address(serve, unit_types(hart, memory))
