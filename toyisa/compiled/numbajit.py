"""Answers for functions that numba compiles: with bounds checks, or because nothing else can.

Our own front end (`front/`) compiles what is written in its subset.  numba compiles other
code, for example of a user's engine, and all code under `NUMBA_BOUNDSCHECK=1`, which the
containment law uses.  Then an index out of bounds is an IndexError, and so is a negative one,
since a -1 that means "none" is not an index.  Division by zero gives NumPy's result and not
an exception, since inside the core a failure is a value.

Must not be imported before the cache is enabled, which sets where numba keeps code.
"""

import sys
from collections.abc import Callable
from functools import cache

import numpy as np

# numba imports `coverage` if it is installed.  That takes a while, and fails in a folder that was
# deleted.  So unless `coverage` is in use already, numba is told that it is not there.
_idle = sys.modules.setdefault("coverage", None) is None

import numba  # noqa: E402  after `coverage` is hidden
from numba.core import compiler, types  # noqa: E402
from numba.core.caching import FunctionCache  # noqa: E402
from numba.core.codegen import JITCodeLibrary  # noqa: E402
from numba.core.registry import CPUDispatcher  # noqa: E402
from numba.core.runtime import rtsys  # noqa: E402

if _idle:
    del sys.modules["coverage"]


def _no_wraparound(context, builder, kind, index, _size):
    """The index unchanged, where numba's own function would take -1 for the last place."""
    return context.cast(builder, index, kind, types.intp)


if numba.config.BOUNDSCHECK:
    from numba.np import arrayobj

    arrayobj.fix_integer_index = _no_wraparound


def _widen(kind: types.Type) -> types.Type:
    """The type as which an argument is passed: the same for all integers."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.Integer | types.IntEnumMember):
        return types.int64
    return kind


class _OneVersion(CPUDispatcher):
    """A compiled function with one version for all widths and constants.

    numba compiles a version for each combination of argument types, and a literal is a type
    of its own: the core would be compiled several times.
    """

    def get_call_template(self, args, kws):
        return super().get_call_template(
            tuple(map(_widen, args)), {name: _widen(kind) for name, kind in kws.items()}
        )


class _Kept(FunctionCache):
    """Code on disk, loaded without first making ready all that numba can compile.

    That would be a fifth of a warm start.  Finished code needs of it what the runtime
    adds to the linker's symbols; the compiler makes itself ready when it is asked.

    It is kept for the module that has the function, which it names: a file may be
    imported under two names, and one program not know the other's.
    """

    def _index_key(self, sig: object, codegen: object) -> tuple:
        return (self._py_func.__module__, *super()._index_key(sig, codegen))

    def load_overload(self, sig: object, target_context: object) -> object:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


class _NoEnvironment:
    """A code generator for code that is not loaded by itself."""

    def __init__(self, codegen: object):
        self._codegen = codegen

    def __getattr__(self, name: str) -> object:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: object) -> None:
        """Nothing to set: the entry that this code becomes part of has its own."""


class _InnerLibrary(JITCodeLibrary):
    """Code that is linked into its callers, and neither optimised nor loaded by itself.

    numba does all that for each function, its callees included: the bottom of a call
    chain of ten would be optimised ten times.
    """

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> _NoEnvironment:
        return _NoEnvironment(self._codegen)


class _InnerCompiler(compiler.CompilerBase):
    """numba's pipeline, into an `_InnerLibrary`."""

    def define_pipelines(self) -> list:
        state = self.state
        state.library = _InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return [compiler.DefaultPassBuilder.define_nopython_pipeline(state)]


class _Inner(_OneVersion):
    """One without a way in from Python, which gets an entry of its own if it does call."""

    def __call__(self, *args: object) -> object:
        return entry_to(self.py_func)(*args)


def _compile(function: Callable, version: type, **options: object) -> Callable:
    dispatcher = numba.njit(error_model="numpy", nogil=True, **options)(function)
    dispatcher.__class__ = version
    return dispatcher


def njit(function: Callable) -> Callable:
    """Compile `function` as part of the entries that call it; integers arrive as int64."""
    return _compile(
        function, _Inner, pipeline_class=_InnerCompiler,
        no_cpython_wrapper=True, no_cfunc_wrapper=True,
    )  # fmt: skip


def entry(function: Callable) -> Callable:
    """Compile `function`, which Python calls, to native code that is kept on disk."""
    dispatcher = _compile(function, _OneVersion, cache=True)
    dispatcher._cache.__class__ = _Kept
    return dispatcher


entry_to = cache(entry)


_TYPES: dict[np.dtype, types.Type] = {}
_UNIT = (types.int64,) * 3  # what a unit takes after the hart and the memory


def unit_types(*records: np.record) -> tuple[types.Type, ...]:
    """The argument types of a unit that takes these records and integers: five in all."""
    for record in records:
        if record.dtype not in _TYPES:  # it takes numba milliseconds, a machine a few of them
            _TYPES[record.dtype] = numba.typeof(record)
    return (*(_TYPES[record.dtype] for record in records), *_UNIT[: 5 - len(records)])


def unit_address(unit: Callable, signature: tuple) -> int:
    """The host address of an `entry` for `call_unit`, compiling it if need be."""
    unit.compile(signature)
    compiled = unit.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def _call(arguments: tuple[types.Type, ...]) -> tuple:
    """A call of a function with these arguments, by the address that comes first."""

    def generate(context, builder, signature, values):
        function = context.call_conv.get_function_type(types.int64, arguments)
        pointer = builder.inttoptr(values[0], function.as_pointer())
        status, answer = context.call_conv.call_function(
            builder, pointer, types.int64, arguments, values[1:]
        )
        if numba.config.BOUNDSCHECK:  # else a unit never raises
            with builder.if_then(status.is_error):
                context.call_conv.return_status_propagate(builder, status)
        return answer

    return types.int64(types.int64, *arguments), generate


@numba.extending.intrinsic
def call_unit(typing_context, address, hart, mem, request, first, second):
    """Call `int64 unit(hart, mem, request, first, second)` by its address.

    The unit is compiled once and apart, whoever calls it: neither waits for the
    other to be compiled, nor carries its code.
    """
    return _call((hart, mem, *_UNIT))


@numba.extending.intrinsic
def call_vm_unit(typing_context, address, hart, mem, vm, request, first):
    """Call `int64 unit(hart, mem, vm, request, first)`, a monitor's, by its address."""
    return _call((hart, mem, vm, *_UNIT[:2]))


@numba.extending.intrinsic
def _pointer(typing_context, address):
    """An address as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@numba.njit(inline="always")
def view(address, length, dtype):
    """`length` items at a host address as an array, without owning them."""
    return numba.carray(_pointer(address), (length,), dtype)


SPECIAL = {"view": view, "call_unit": call_unit, "call_vm_unit": call_vm_unit}


def know(inner: type, outer: type, special: type) -> None:
    """Let numba's code use functions that are objects of these classes, by their `py_func`.

    `special` ones stand for those of `SPECIAL`, by their `name`.
    """
    context = numba.core.registry.cpu_target.typing_context
    typeof = numba.core.typing.typeof.typeof_impl
    typeof.register(inner, lambda found, _how: types.Dispatcher(_inner_to(found.py_func)))
    typeof.register(outer, lambda found, _how: types.Dispatcher(entry_to(found.py_func)))
    typeof.register(special, lambda found, _how: context.resolve_value_type(SPECIAL[found.name]))


_inner_to = cache(njit)
