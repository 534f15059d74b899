"""The front end: what it does not know, or understands only in part, it refuses; it never guesses.

numba then compiles the code, or says what is wrong with it.
"""

import numpy as np
import pytest

from toyisa.compiled.entries import entry, njit, view
from toyisa.compiled.front.kinds import I64, Unsupported, kind_of
from toyisa.compiled.front.program import Program

TABLE = np.array([[1, 2, 3], [40, 50, 60]], np.int64)
BIG = np.dtype(">i4")
LIMIT = 20


@njit
def less(a, b):
    return a < b


def least_of_one(a):
    b = (a, 1)
    return min(b)[0]


def changes_a_table(a):
    TABLE[0, 0] = a
    return a


def adds_to_a_table(a):
    TABLE[0][1] += a
    return a


def fills_a_table(a):
    row = TABLE[1]
    row[:2] = a
    return a


def from_the_end(a):
    return TABLE[0, -1]


def slice_from_the_end(a):
    few = view(a, 4, np.int64)
    few[-2:] = 1
    return a


def beyond(a):
    return TABLE[2, 0]


def large(a):
    return a < 0xFFFF_FFFF_FFFF_FFFF


def range_of_four(a):
    total = 0
    for n in range(0, 9, 3, 1):
        total += n
    return total


def nothing_in_it(a):
    return ()


def big_endian(a):
    return view(a, 4, BIG)[0]


def too_few(a):
    return max()


def too_many(a):
    return len(a, a)


def type_passed_on(a):
    return less(np.int64, a)


def default(a, b=3):
    return a + b


def generator(a):
    yield a


def walrus(a):
    return (b := a + 1) + b


def comprehension(a):
    return [n + 1 for n in range(a)]


def checked(a):
    assert a
    return a


def caught(a):
    try:
        return 1 // a
    except ZeroDivisionError:
        return 0


def otherwise(a):
    for n in range(a):
        if n == 3:
            break
    else:
        return 1
    return 2


def until(a):
    while a:
        a -= 1
    else:
        return 1
    return 2


def in_a_tuple(a):
    return a in (1, 2)


def same(a):
    return a is None


def divides(a):
    return a / 2


def power(a):
    return a**2


def casts(a):
    return np.uint8(a)


def unsigned(a):
    return view(a, 4, np.uint64)[0]


def keyword(a):
    return less(a, b=2)


def lambdas(a):
    return (lambda b: b)(a)


def changes_a_global(a):
    global LIMIT
    LIMIT = a
    return a


def recursive(a):
    return a if a < 1 else recursive_too(a - 1)


recursive_too = njit(recursive)

REFUSED = [default, least_of_one, changes_a_table, adds_to_a_table, fills_a_table,
           from_the_end, slice_from_the_end, beyond, large, range_of_four, nothing_in_it,
           big_endian, too_few, too_many, type_passed_on, generator, walrus, comprehension,
           checked, caught, otherwise, until, in_a_tuple, same, divides, power, casts, unsigned,
           keyword, lambdas, changes_a_global, recursive]  # fmt: skip


def first(a):
    return a[0]


def stores(a):
    a[0] = 1
    return 0


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_is_understood_in_part_is_refused(function):
    with pytest.raises(Unsupported):
        Program().unit(function, (I64,))


def test_arguments_that_it_does_not_know_are_refused():
    for value in (1.5, None, "a", np.zeros(3, ">i4"), np.zeros((4, 4), np.int64)[:, 1],
                  np.zeros(()), np.zeros(3, bool), np.zeros(3, np.float32)):  # fmt: skip
        with pytest.raises(Unsupported):
            Program().unit(first, (kind_of(value),))


def test_arrays_that_nobody_may_change_stay_as_they_are():
    fixed = np.zeros(3, np.int64)
    fixed.flags.writeable = False
    with pytest.raises(Unsupported, match="nobody may change"):
        Program().unit(stores, (kind_of(fixed),))
    assert entry(first)(fixed) == 0
