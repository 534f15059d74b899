"""The front end and numba make functions that do the same, construct by construct."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compilers import TOP, needs_front_end
from tests.unit import test_front as front
from toyisa.compiled import entries
from toyisa.compiled.front.kinds import I64, kind_of

NUMBERS = st.one_of(st.sampled_from(front.EDGES), st.integers(-TOP, TOP - 1), st.integers(-9, 70))


def numba(function):
    """The function as numba compiles it."""
    return entries._numba().entry_to(function)


@pytest.mark.slow
@needs_front_end
@pytest.mark.parametrize("function", front.PLAIN, ids=lambda function: function.__name__)
def test_both_compute_the_same(function):
    ours, theirs = entries.entry(function).compile((I64, I64)), numba(function)

    @settings(max_examples=300, deadline=None)
    @given(a=NUMBERS, b=NUMBERS)
    def same(a, b):
        if (a, b) == (-TOP, -1):
            return  # numba's division ends the process; ours wraps
        assert int(ours(a, b)) == int(theirs(a, b)), (a, b)

    same()


@pytest.mark.slow
@needs_front_end
@pytest.mark.parametrize("a", [0, 1, 3, 200, 65_535, -1, -200, (1 << 31) + 3, 1 << 40])
def test_both_leave_the_same_records(a):
    ours = entries.entry(front.fields).compile((kind_of(np.zeros(1, front.OUTER)[0]), I64))
    found = []
    for code in (ours, numba(front.fields)):
        room, r = np.zeros(4, np.uint16), np.zeros(1, front.OUTER)[0]
        r.at = room.ctypes.data
        before = int(r.at)
        result = int(code(r, a))
        r.at = int(r.at) - before  # an address, to which numbers of the record are added
        found.append((result, r.tobytes(), room.tolist()))
    assert found[0] == found[1]
