"""Answers for the monitor's compiled units: the loop, and a unit for each engine.

They call the machine's own units (`toyisa.core.units`) by address.
"""

import inspect

import numpy as np

from toyisa.compiled import jitcache
from toyisa.compiled.njit import unit_address, unit_types
from toyisa.core.hardware import Hardware
from toyisa.core.memory import PAGE
from vmm.domain.vcpu import new_vm
from vmm.engines import Engine, registered
from vmm.exit.loop import run_vm

PARTS = 2  # that compiling it makes: the loop, unless it is there, and the engine's unit

_ready: set[str] = set()


def link(engine: Engine, hart: np.record, mem: np.record, vm: np.record) -> None:
    """Put the engine's unit into the record, and see that all is compiled."""
    if engine.name not in _ready:
        _ready.add(engine.name)
        what = f"the monitor's engine {engine.name!r}"
        if registered(engine.name):
            unit = inspect.unwrap(engine.unit)
            what += f" ({unit.__module__} in {inspect.getfile(unit)})"
        jitcache.warm(what, lambda _cold: _compile(engine), PARTS)
    vm.engine = unit_address(engine.unit, unit_types(hart, mem, vm))


def _compile(engine: Engine) -> None:
    made = Hardware(PAGE)
    types = unit_types(made.hart, made.memory, new_vm())
    run_vm.compile(types[:3])
    unit_address(engine.unit, types)
