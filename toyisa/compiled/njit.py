"""The only door to the compiler: what is compiled once, and what Python may call.

`entry` is a function that Python calls.  It is a unit of compilation, optimised as a whole
and kept on disk.  `njit` is a function that compiled code calls.  It is part of each unit
that reaches it, and becomes a unit of its own only if Python calls it too.

Three variables choose who compiles (`choice.py`).  With `NUMBA_DISABLE_JIT=1` nobody does:
everything is plain Python.  With `TOYVMM_COMPILER=numba` numba compiles everything, and with
`NUMBA_BOUNDSCHECK=1` it also checks each index (`numbajit.py`).  Compiled functions are
decorated only here, after the cache is enabled.
"""

from collections.abc import Callable

from toyisa.compiled import choice, jitcache

jitcache.enable()

compiler = choice.compiler()
match compiler:
    case "plain":
        from toyisa.compiled import plain as _compiler
    case "numba":
        from toyisa.compiled import numbajit as _compiler
    case _:
        from toyisa.compiled import entries as _compiler

njit, entry = _compiler.njit, _compiler.entry
unit_types, unit_address = _compiler.unit_types, _compiler.unit_address
call_unit, call_vm_unit, view = _compiler.call_unit, _compiler.call_vm_unit, _compiler.view


def special(write: Callable) -> Callable:
    """A function for compiled code that writes its own code: `write(body, *values)` of the front
    end.
    """
    from toyisa.compiled.entries import Special

    return Special(write)
