"""Answers for functions that cannot be written in Python, because they use addresses."""

import numpy as np

from toyisa.compiled.front.expressions import Expressions
from toyisa.compiled.front.kinds import I64, Record, Unsupported, Value, array


def view(body: Expressions, address: Value, length: Value, dtype: type | np.dtype) -> Value:
    """`length` items at a host address as an array, without owning them."""
    pointer = body.new(f"inttoptr i64 {body.as_int(address).ref} to ptr")
    return Value(array(np.dtype(dtype), (None,)), (pointer, body.as_int(length).ref))


def call_unit(body: Expressions, address: Value, *arguments: Value) -> Value:
    """Call `int64 unit(hart, mem, request, first, second)` by its address.

    The unit is compiled once and separately from its callers.  It is called as numba calls
    its functions: it stores its answer at the address in the first argument.
    """
    if len(arguments) != 5:
        raise Unsupported("a unit takes five arguments")
    unit = body.new(f"inttoptr i64 {body.as_int(address).ref} to ptr")
    answer, failure = body.slot("i64"), body.slot("ptr")
    given = [v if isinstance(v.kind, Record) else body.as_int(v) for v in arguments]
    passed = ", ".join(f"{v.kind.parts[0]} {v.ref}" for v in given)
    body.new(f"call i32 {unit}(ptr {answer}, ptr {failure}, {passed})")
    return Value(I64, (body.new(f"load i64, ptr {answer}"),))


def call_vm_unit(body: Expressions, address: Value, *arguments: Value) -> Value:
    """Call `int64 unit(hart, mem, vm, request, first)`, a monitor's, by its address."""
    return call_unit(body, address, *arguments)
