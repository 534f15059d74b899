"""Answers for who compiles, our front end, numba or nobody, and how threaded code is called.

Must not import a compiler, nor know what is compiled.
"""

import os

VARIABLE, CALLS = "TOYVMM_COMPILER", "TOYVMM_CALLS"
NATIVE, NUMBA = "native", "numba"


class NoCompiler(Exception):
    """Nothing can be compiled: why, and what to do about it."""


def compiler() -> str:
    """The one that is chosen: "front", "numba" or "plain".  NoCompiler.

    What numba's own variables ask for needs a certain compiler, so they come first.
    """
    named = _one_of(VARIABLE, NATIVE, NUMBA)
    if _set("NUMBA_DISABLE_JIT"):
        return "plain"
    return "numba" if _set("NUMBA_BOUNDSCHECK") or named == NUMBA else "front"


def portable_calls() -> bool:
    """Whether threaded code must use a calling convention that every host has.  NoCompiler."""
    return _one_of(CALLS, "fast", "portable") == "portable"


def _one_of(variable: str, usual: str, other: str) -> str:
    named = os.environ.get(variable, "").strip() or usual
    if named not in (usual, other):
        raise NoCompiler(
            f"{variable}: {named!r} is not known; "
            f"set it to {usual} (as usual) or to {other}, or do not set it"
        )
    return named


def _set(name: str) -> bool:
    return os.environ.get(name, "").strip() not in ("", "0")
