"""Marks and words for tests of who compiles: our front end, numba, or nobody."""

import pytest

from toyisa.compiled.njit import compiler

TOP = 1 << 63  # beyond the largest number that compiled code knows

needs_front_end = pytest.mark.skipif(
    compiler != "front", reason="a variable chooses another compiler than the front end"
)


def wrapped(number):
    """The number as 64 bits with a sign."""
    return (int(number) + TOP) % (2 * TOP) - TOP


def plain(function):
    """The Python function behind a compiled one; itself if nothing is compiled."""
    return getattr(function, "py_func", function)
