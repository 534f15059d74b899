"""Answers for the monitor's compiled units: the loop, and a unit for each engine.

They call the machine's own units (`toyisa.core.units`) by address.
"""

import inspect
from functools import cache

import numpy as np

from toyisa.compiled import jitcache
from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE
from vmm.domain.record import new_vm
from vmm.engines import Engine, registered
from vmm.exit.loop import run_vm

_ready: set[str] = set()  # engines; "": the loop


def link(engine: Engine, hart: np.record, mem: np.record, vm: np.record) -> None:
    """Put the engine's unit into the record, and see that all is compiled."""
    if "" not in _ready:
        _ready.add("")
        jitcache.warm("the monitor", lambda _cold: run_vm.compile(_types()[:3]), 1)
    if engine.name not in _ready:
        _ready.add(engine.name)
        what = f"the monitor's engine {engine.name!r}"
        if registered(engine.name):
            unit = inspect.unwrap(engine.unit)
            what += f" ({unit.__module__} in {inspect.getfile(unit)})"
        jitcache.warm(what, lambda _cold: unit_address(engine.unit, _types()), 1)
    vm.engine = unit_address(engine.unit, unit_types(hart, mem, vm))


@cache
def _types() -> tuple:
    """The types of an engine's unit: of its records and integers."""
    made = Hardware(PAGE)
    return unit_types(made.hart, made.memory, new_vm())
