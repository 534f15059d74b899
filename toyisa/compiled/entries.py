"""Answers for functions that are compiled: what `njit` and `entry` make of a function.

The front end writes a unit for LLVM, which makes an object of it.  The object is kept, and
called by its address.  What is not in the front end's subset is compiled by numba.  Must not
know what the functions do.
"""

import ctypes
import functools
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from toyisa.compiled import choice, jitcache, native, objects
from toyisa.compiled.front import special
from toyisa.compiled.front.kinds import (
    BOOL,
    I64,
    NOTHING,
    Array,
    Kind,
    Record,
    Tuple,
    Unsupported,
    kind_of,
)

_LETTERS = {NOTHING: "n", BOOL: "b", I64: "i"}
_lock = threading.RLock()
compiled: list[str] = []  # the units that this process has compiled, and not found in the cache


class Inner:
    """A function that compiled code calls; if Python calls it, it gets a unit of its own."""

    def __init__(self, function: Callable):
        functools.update_wrapper(self, function)
        self.py_func = function

    def __call__(self, *arguments: object) -> object:
        return _entry_to(self.py_func)(*arguments)


class Entry(Inner):
    """A function that Python calls."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._ready: dict[tuple[Kind, ...], Callable] = {}

    def __call__(self, *arguments: object) -> object:
        try:
            return self.compile(tuple(map(kind_of, arguments)))(*arguments)
        except Unsupported:
            return _numba().entry_to(self.py_func)(*arguments)

    def compile(self, kinds: tuple[Kind, ...]) -> "Ready":
        """The code for arguments of these kinds; compiled if necessary.  Unsupported."""
        ready = self._ready.get(kinds)
        if ready is None:
            with _lock:
                ready = self._ready[kinds] = _make(self.py_func, kinds)
        return ready


class Ready:
    """Machine code that Python can call."""

    def __init__(self, address: int, kinds: tuple[Kind, ...], letters: str):
        self.address, self._kinds, self._letters = address, kinds, letters
        plain = {"ptr": ctypes.c_void_p, "i64": ctypes.c_int64}
        parts = [plain[part] for kind in kinds for part in kind.parts]
        shape = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *parts)
        self._function = shape(address)
        self._room = ctypes.c_int64 * max(1, len(letters))

    def __call__(self, *arguments: object) -> object:
        answer, passed = self._room(), []
        for value, kind in zip(arguments, self._kinds):
            if isinstance(kind, Record):
                passed.append(np.frombuffer(value, np.uint8).ctypes.data)
            elif isinstance(kind, Array):
                passed += [value.ctypes.data, *value.shape]
            else:
                passed.append(int(value))
        self._function(ctypes.addressof(answer), None, *passed)
        return _result(self._letters, answer)


def _result(letters: str, answer: ctypes.Array) -> object:
    """The value for Python, by the letters of its kind."""
    if letters[0] == "t":
        return tuple(_result(letter, [n]) for letter, n in zip(letters[1:], answer))
    return {"n": None, "b": bool(answer[0]), "i": answer[0]}[letters]


def _letters(kind: Kind) -> str:
    if isinstance(kind, Tuple) and all(member in (BOOL, I64) for member in kind.members):
        return "t" + "".join(map(_letters, kind.members))
    if kind not in _LETTERS:
        raise Unsupported(f"its result is a {kind.name}")
    return _LETTERS[kind]


def njit(function: Callable) -> Inner:
    """Compile `function` as a part of the units that call it; integers are 64 bits wide."""
    return Inner(function)


def entry(function: Callable) -> Entry:
    """Compile `function`, which Python calls, to machine code that is kept on disk."""
    return Entry(function)


_entry_to = cache(entry)


def _make(function: Callable, kinds: tuple[Kind, ...]) -> Ready:
    """Find or compile a function for arguments of these kinds.  Unsupported."""
    unit = f"{function.__module__}.{function.__qualname__}-{objects.digest(*map(_signed, kinds))}"
    path = objects.find(unit) if _covered(function) else None
    if path is None:
        return _made(unit, function, kinds)
    return _loaded(path, kinds)


def _made(unit: str, function: Callable, kinds: tuple[Kind, ...]) -> Ready:
    """Write the unit; compile it, unless code of exactly this text is kept."""
    from toyisa.compiled.front.program import Program

    program = Program()
    letters = _letters(program.unit(function, kinds))
    text = program.text()
    made = objects.digest(text, _surroundings())
    name = f"{unit}-{made}-{letters}{objects.SUFFIX}"
    path = objects.adopt(name)
    if path is None:
        compiled.append(unit)
        path = objects.write(name, _emitted(unit, program.named(made)))
    return _loaded(path, kinds)


def _emitted(unit: str, text: str) -> bytes:
    """The object for a unit's text.  NoCompiler."""
    try:
        return native.emit(text)
    except Exception as error:  # a version of llvmlite or of LLVM that takes other things
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise choice.NoCompiler(
            f"{unit.rpartition('-')[0]}: llvmlite {native.VERSION} makes no code of it ({reason}); "
            f"set {choice.VARIABLE}={choice.NUMBA}, so that numba compiles everything"
        ) from error


@cache
def _surroundings() -> str:
    """Everything on which an object depends, besides the text from which it is made."""
    return objects.digest(repr(jitcache.settings()), Path(native.__file__).read_bytes())


def _loaded(path: Path, kinds: tuple[Kind, ...]) -> Ready:
    _unit, made, letters = path.name.removesuffix(objects.SUFFIX).rsplit("-", 2)
    return Ready(native.load(objects.read(path), made), kinds, letters)


@cache
def _signed(kind: Kind) -> str:
    """A kind, by everything on which the code depends."""
    if isinstance(kind, Record):
        return repr(kind.dtype)
    if isinstance(kind, Array):
        return f"{kind.item!r} {kind.shape} {kind.frozen}"
    return kind.name


def _covered(function: Callable) -> bool:
    """Whether the name of this version's directory depends on the function's source, too."""
    return Path(function.__code__.co_filename) in jitcache.sources()


def unit_types(*records: np.record) -> tuple[Kind, ...]:
    """The argument kinds of a unit that takes these records and integers: five in all."""
    return (*map(kind_of, records), *[I64] * (5 - len(records)))


def unit_address(unit: Entry, kinds: tuple[Kind, ...]) -> int:
    """The host address of an `entry` for `call_unit`; compiles it if necessary."""
    try:
        return unit.compile(kinds).address
    except Unsupported:
        numba = _numba()
        types = numba.unit_types(*(np.zeros(1, k.dtype)[0] for k in kinds if isinstance(k, Record)))
        return numba.unit_address(numba.entry_to(unit.py_func), types)


class Special:
    """A function whose code the front end writes itself; numba has one with the same name."""

    def __init__(self, write: Callable):
        functools.update_wrapper(self, write)
        self.name, self.front = write.__name__, write


call_unit, call_vm_unit, view = map(
    Special, (special.call_unit, special.call_vm_unit, special.view)
)


@cache
def _numba():
    """The way to numba, which is imported only for what the front end leaves."""
    from toyisa.compiled import numbajit

    numbajit.know(Inner, Entry, Special)
    return numbajit
