"""Answers for the kinds of values that compiled code knows, and how each is passed.

Every integer is signed and 64 bits wide, whatever the width of the field from which it came:
masks, not types, say how wide a value is.  A record and an array are addresses. Must not know
statements or expressions.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Unsupported(Exception):
    """The function is not in the subset, so numba must compile it.  The text says why."""

    line = 0  # of the file, if it is known


@dataclass(frozen=True)
class Kind:
    """A plain kind: `I64`, `BOOL` or `NOTHING`."""

    name: str
    parts: tuple[str, ...]  # LLVM's types of the parts of a value of this kind


I64 = Kind("int", ("i64",))
BOOL = Kind("bool", ("i1",))
NOTHING = Kind("nothing", ())


class Record(Kind):
    """The address of a record, with the fields of its NumPy type."""

    def __init__(self, dtype: np.dtype):
        super().__init__("record", ("ptr",))
        object.__setattr__(self, "dtype", dtype)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Array(Kind):
    """The address of items in row-major order; a size of None is known at run time.

    Code must not store in one that is `frozen`.
    """

    def __init__(self, item: np.dtype, shape: tuple[int | None, ...], frozen: bool):
        super().__init__("array", ("ptr",) + ("i64",) * shape.count(None))
        object.__setattr__(self, "item", item)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "frozen", frozen)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Tuple(Kind):
    """Several values."""

    def __init__(self, members: tuple[Kind, ...]):
        super().__init__("tuple", tuple(part for kind in members for part in kind.parts))
        object.__setattr__(self, "members", members)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


_made: dict[tuple, Kind] = {}


def record(dtype: np.dtype) -> Record:
    """The kind of records of this type: one object for each."""
    return _made.get(("record", id(dtype))) or _intern(("record", dtype), Record(dtype), dtype)


def array(item: np.dtype, shape: tuple[int | None, ...], frozen: bool = False) -> Array:
    """The kind of arrays of these items and sizes: one object for each."""
    key = ("array", record(item) if item.names else item, shape, frozen)
    return _made.setdefault(key, Array(item, shape, frozen))


def several(members: tuple[Kind, ...]) -> Tuple:
    """The kind of a tuple: one object for each."""
    return _made.setdefault(("tuple", members), Tuple(members))


def _intern(key: tuple, kind: Kind, dtype: np.dtype) -> Kind:
    """Look up by value, and next time by identity: hashing a large record type takes long."""
    kind = _made.setdefault(key, kind)
    _keep.append(dtype)  # an identity is unique only while its object lives
    _made["record", id(dtype)] = kind
    return kind


_keep: list[np.dtype] = []


def joined(one: Kind, other: Kind) -> Kind:
    """The kind of a value that may be of either kind.  Unsupported if there is none."""
    if one is other:
        return one
    if {one, other} == {I64, BOOL}:
        return I64
    if isinstance(one, Tuple) and isinstance(other, Tuple):
        if len(one.members) == len(other.members):
            return several(tuple(map(joined, one.members, other.members)))
    raise Unsupported(f"a value is of the kinds {one.name} and {other.name}")


class Value(NamedTuple):
    """A value of a kind: LLVM's operands for its parts, and the number if it is a constant."""

    kind: Kind
    parts: tuple[str, ...]
    number: int | None = None

    @property
    def ref(self) -> str:
        """The operand of a value with one part."""
        return self.parts[0]


def wrapped(number: int) -> int:
    """A number as a signed 64-bit number."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def constant(number: int) -> Value:
    """An integer that the compiler knows."""
    number = wrapped(number)
    return Value(I64, (str(number),), number)


def truth(known: bool) -> Value:
    """True or False."""
    return Value(BOOL, ("true" if known else "false",), int(known))


VOID = Value(NOTHING, ())


def kind_of(value: object) -> Kind:
    """The kind of an argument from Python.  Unsupported for floats, objects ..."""
    if isinstance(value, np.void) and value.dtype.names:
        return record(value.dtype)
    if isinstance(value, int | np.integer | np.bool_):
        return I64
    if isinstance(value, np.ndarray) and value.flags.c_contiguous:
        if value.dtype.kind in "iu" and value.flags.aligned and value.ndim:
            return array(value.dtype, (None,) * value.ndim, not value.flags.writeable)
    raise Unsupported(f"an argument is a {type(value).__name__}")
