"""The one door to numba's compiler: cached, and the cache enabled before it is used.

Every compiled function is decorated with this `njit`.  One that is decorated
before the cache is enabled would be kept beside its source, where an edit of a
callee leaves it stale.

`NUMBA_BOUNDSCHECK=1` compiles the core with bounds checks, as the containment law
runs it; division by zero gives NumPy's result instead of an exception, since
inside the core a failure is a value.
"""

import ctypes
from collections.abc import Callable

import numpy as np

from toyisa import jitcache

jitcache.enable()

import numba  # noqa: E402  after the cache is enabled, which sets where numba keeps code
from numba.core import types  # noqa: E402
from numba.core.registry import CPUDispatcher  # noqa: E402


def _widen(kind: types.Type) -> types.Type:
    """The type that an argument is passed as: one for all integers."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.Integer | types.IntEnumMember):
        return types.int64
    return kind


class _OneVersion(CPUDispatcher):
    """A compiled function with one version for all widths and constants.

    numba compiles a version for each combination of argument types, and a literal
    is a type of its own: the core would compile several times over.
    """

    def get_call_template(self, args, kws):
        return super().get_call_template(
            tuple(map(_widen, args)), {name: _widen(kind) for name, kind in kws.items()}
        )


class _Inner(_OneVersion):
    """One without a wrapper for Python: calling it from there would end the process."""

    def __call__(self, *args: object) -> object:
        raise TypeError(f"{self.py_func.__qualname__} is for compiled code: make it an `entry`")


def _compile(function: Callable, version: type, **options: bool) -> Callable:
    dispatcher = numba.njit(cache=True, error_model="numpy", nogil=True, **options)(function)
    if isinstance(dispatcher, CPUDispatcher):  # not with NUMBA_DISABLE_JIT
        dispatcher.__class__ = version
    return dispatcher


def njit(function: Callable) -> Callable:
    """Compile `function` to native code, kept on disk; integers arrive as int64.

    Only compiled code can call it: what Python calls as well is an `entry`.  To
    leave out the wrapper saves a quarter of the time that compiling takes.
    """
    return _compile(function, _Inner, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def entry(function: Callable) -> Callable:
    """As `njit`, for a function that Python calls."""
    return _compile(function, _OneVersion)


@numba.extending.intrinsic
def _pointer(typing_context, address):
    """An address as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


if numba.config.DISABLE_JIT:

    def view(address, length, dtype):
        """`length` items at a host address, for tests without the compiler."""
        size = int(length) * np.dtype(dtype).itemsize
        buffer = (ctypes.c_uint8 * size).from_address(int(address))
        return np.frombuffer(buffer, dtype)

else:

    @numba.njit(inline="always")
    def view(address, length, dtype):
        """`length` items at a host address as an array, without owning them."""
        return numba.carray(_pointer(address), (length,), dtype)
