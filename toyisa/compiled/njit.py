"""The only door to the compiler: what is compiled once, and what Python may call.

`entry` is a function that Python calls.  It is a unit of compilation, optimised as a whole
and kept on disk.  `njit` is a function that compiled code calls.  It is part of each unit
that reaches it, and becomes a unit of its own only if Python calls it too.

Two settings of numba's choose who compiles.  With `NUMBA_DISABLE_JIT=1` nobody does:
everything is plain Python.  With `NUMBA_BOUNDSCHECK=1` numba does, and checks each index
(`numbajit.py`). Compiled functions are decorated only here, after the cache is enabled.
"""

import os
from collections.abc import Callable

from toyisa.compiled import jitcache

jitcache.enable()


def _set(name: str) -> bool:
    return os.environ.get(name, "").strip() not in ("", "0")


if _set("NUMBA_DISABLE_JIT"):
    from toyisa.compiled import plain as _compiler

    compiler = "plain"
elif _set("NUMBA_BOUNDSCHECK"):
    from toyisa.compiled import numbajit as _compiler

    compiler = "numba"
else:
    from toyisa.compiled import entries as _compiler

    compiler = "front"

njit, entry = _compiler.njit, _compiler.entry
unit_types, unit_address = _compiler.unit_types, _compiler.unit_address
call_unit, call_vm_unit, view = _compiler.call_unit, _compiler.call_vm_unit, _compiler.view


def special(write: Callable) -> Callable:
    """A function for compiled code that writes its own code: `write(body, *values)` of the front
    end.
    """
    from toyisa.compiled.entries import Special

    return Special(write)
