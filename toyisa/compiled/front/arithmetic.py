"""Answers for what operators compute: signed, in 64 bits, as in Python if the result fits.

A sum that does not fit wraps.  A shift counts modulo 64.  Division rounds down; by 0 it gives
0, and so does the remainder.  Must not know Python's syntax, except the names of operators.
"""

from toyisa.compiled.front.body import Body
from toyisa.compiled.front.kinds import BOOL, I64, Unsupported, Value, constant, truth

_PLAIN = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "BitAnd": "and", "BitOr": "or", "BitXor": "xor",
}  # fmt: skip
_SHIFTS = {"LShift": "shl", "RShift": "ashr"}
_FOLDED = {
    "Add": int.__add__, "Sub": int.__sub__, "Mult": int.__mul__, "BitAnd": int.__and__,
    "BitOr": int.__or__, "BitXor": int.__xor__,
    "LShift": lambda a, b: a << (b & 63), "RShift": lambda a, b: a >> (b & 63),
    "FloorDiv": lambda a, b: a // b if b else 0, "Mod": lambda a, b: a % b if b else 0,
}  # fmt: skip
_COMPARED = {
    "Eq": ("eq", int.__eq__), "NotEq": ("ne", int.__ne__), "Lt": ("slt", int.__lt__),
    "LtE": ("sle", int.__le__), "Gt": ("sgt", int.__gt__), "GtE": ("sge", int.__ge__),
}  # fmt: skip


def _number(body: Body, text: str) -> Value:
    return Value(I64, (body.new(text),))


def operate(body: Body, operator: str, one: Value, other: Value) -> Value:
    """The result of a binary operator of Python's, by the name of its node."""
    if one.kind is BOOL and other.kind is BOOL and operator in ("BitAnd", "BitOr", "BitXor"):
        return Value(BOOL, (body.new(f"{_PLAIN[operator]} i1 {one.ref}, {other.ref}"),))
    one, other = body.as_int(one), body.as_int(other)
    if one.number is not None and other.number is not None and operator in _FOLDED:
        return constant(_FOLDED[operator](one.number, other.number))
    if operator in _PLAIN:
        return _number(body, f"{_PLAIN[operator]} i64 {one.ref}, {other.ref}")
    if operator in _SHIFTS:
        if other.number is None:
            other = _number(body, f"and i64 {other.ref}, 63")
        else:
            other = constant(other.number & 63)
        return _number(body, f"{_SHIFTS[operator]} i64 {one.ref}, {other.ref}")
    if operator == "FloorDiv":
        return _divide(body, one, other)[0]
    if operator == "Mod":
        return _divide(body, one, other)[1]
    raise Unsupported(f"the operator {operator}")


def compare(body: Body, operator: str, one: Value, other: Value) -> Value:
    """Whether a comparison of Python's holds, by the name of its node."""
    if operator not in _COMPARED:
        raise Unsupported(f"the comparison {operator}")
    one, other = body.as_int(one), body.as_int(other)
    how, folded = _COMPARED[operator]
    if one.number is not None and other.number is not None:
        return truth(folded(one.number, other.number))
    return Value(BOOL, (body.new(f"icmp {how} i64 {one.ref}, {other.ref}"),))


def negate(body: Body, value: Value) -> Value:
    """The number with the opposite sign."""
    return operate(body, "Sub", constant(0), value)


def choose(body: Body, condition: Value, yes: Value, no: Value) -> Value:
    """One of two numbers; both have been computed already."""
    return _number(body, f"select i1 {condition.ref}, i64 {yes.ref}, i64 {no.ref}")


def least(body: Body, one: Value, other: Value, operator: str = "Lt") -> Value:
    """The lesser of two numbers, or with `Gt` the greater."""
    one, other = body.as_int(one), body.as_int(other)
    first = compare(body, operator, one, other)
    if first.number is not None:
        return one if first.number else other
    return choose(body, first, one, other)


def absolute(body: Body, value: Value) -> Value:
    """The number without its sign."""
    value = body.as_int(value)
    if value.number is not None:
        return constant(abs(value.number))
    below = compare(body, "Lt", value, constant(0))
    return choose(body, below, negate(body, value), value)


def _divide(body: Body, one: Value, other: Value) -> tuple[Value, Value]:
    """Quotient and remainder, rounded down."""
    number = other.number
    if number is not None and number > 0 and number & number - 1 == 0:
        shift = constant(number.bit_length() - 1)
        return (operate(body, "RShift", one, shift),
                operate(body, "BitAnd", one, constant(number - 1)))  # fmt: skip
    divisor = other
    if number is None:
        # The host's division ends the process if the divisor is 0, and if it is -1 and the quotient
        # does not fit.  Dividing by -1 is negating, and the remainder is 0.
        minus = compare(body, "Eq", other, constant(-1))
        zero = compare(body, "Eq", other, constant(0))
        odd = Value(BOOL, (body.new(f"or i1 {minus.ref}, {zero.ref}"),))
        divisor = choose(body, odd, constant(1), other)
    elif number in (0, -1):
        return (negate(body, one) if number else constant(0)), constant(0)
    quotient = _number(body, f"sdiv i64 {one.ref}, {divisor.ref}")
    rest = _number(body, f"srem i64 {one.ref}, {divisor.ref}")
    # The host rounds towards 0: subtract 1 if there is a remainder whose sign is not the divisor's.
    left = compare(body, "NotEq", rest, constant(0))
    signs = operate(body, "BitXor", rest, divisor)
    unlike = compare(body, "Lt", signs, constant(0))
    down = Value(BOOL, (body.new(f"and i1 {left.ref}, {unlike.ref}"),))
    quotient = operate(body, "Sub", quotient, body.as_int(down))
    rest = operate(body, "Add", rest, choose(body, down, divisor, constant(0)))
    if number is None:
        quotient = choose(body, minus, negate(body, one), quotient)
        quotient = choose(body, zero, constant(0), quotient)
        rest = choose(body, odd, constant(0), rest)
    return quotient, rest
