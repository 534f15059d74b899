"""Answers for functions that are not compiled: with `NUMBA_DISABLE_JIT=1` all is plain Python.

For coverage, for debuggers, and for tests that are too short to be worth compiling.
"""

import ctypes
from collections.abc import Callable

import numpy as np

_units: dict[int, Callable] = {}


def njit(function: Callable) -> Callable:
    """The function as it is."""
    return function


entry = njit


def unit_types(*_records: np.record) -> tuple:
    """Nothing depends on types."""
    return ()


def unit_address(unit: Callable, _types: tuple) -> int:
    """A number that `call_unit` knows the function by."""
    _units[id(unit)] = unit
    return id(unit)


def call_unit(address, hart, mem, request, first, second):
    """Call a unit."""
    return _units[int(address)](hart, mem, request, first, second)


def call_vm_unit(address, hart, mem, vm, request, first):
    """Call a unit that takes a virtual machine."""
    return _units[int(address)](hart, mem, vm, request, first)


def view(address, length, dtype):
    """`length` items at a host address."""
    size = int(length) * np.dtype(dtype).itemsize
    buffer = (ctypes.c_uint8 * size).from_address(int(address))
    return np.frombuffer(buffer, dtype)
