"""The front end: what it compiles does what Python does, as far as 64 bits have room.

Each function here runs compiled and as plain Python, on numbers at the edges.
"""

import importlib
import pkgutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.compilers import TOP, needs_front_end, plain, wrapped
from toyisa.compiled.entries import Entry, entry, njit, view
from toyisa.compiled.front.kinds import I64, Unsupported, kind_of
from toyisa.compiled.front.program import Program
from toyisa.core.state import record

EDGES = (0, 1, -1, 2, 3, -3, 7, 31, 64, -64, 1 << 31, (1 << 32) - 1, -(1 << 32), TOP - 1, -TOP)
FEW = (0, 1, -1, 5, -8, 63)
TABLE = np.array([[1, 2, 3], [40, 50, 60]], np.int64)
LIMIT, HIGH = 20, (1 << 63) - 1


@njit
def both(a, b):
    return a + b, a - b


@njit
def less(a, b):
    return a < b


@njit
def later(a):
    if a > LIMIT:
        return True
    return a


def sums(a, b):
    plus, minus = both(a, b)
    return plus ^ minus


def products(a, b):
    return a * b - (a & ~b | -a)


def shifts(a, b):
    return (a >> (b & 63)) + (a << (b & 63))


def quotients(a, b):
    return (a // b if b else 0) * 3 + (a % b if b else 0)


def by_constants(a, b):
    return a // 8 + a % 8 + a // -3 + a % -3 + b // 10 + b % 10 + a // 1 + b % 1


def extremes(a, b):
    return min(a, b, 5) + max(a, b) + abs(b)


def orders(a, b):
    return (a < b) + 2 * (a <= b) + 4 * (a == b) + 8 * (a != b) + 16 * (a > b) + 32 * (a >= b)


def chains(a, b):
    return 1 if -5 <= a < b <= 1 << 40 else 0


def deciding(a, b):
    c = a and b
    d = a or b
    return c * 3 + d + (1 if not a and (b or a) else 0)


def results(a, b):
    return int(less(a, b)) + later(a)


def conditions(a, b):
    if (a < 0 and b < 0) or a > 5:
        return 1
    elif not b:
        return 2
    return 3


def kinds_of_a_name(a, b):
    c = a < b
    if b > 3:
        c = 7
    return c + 1


def loops(a, b):
    total = 0
    for n in range(a & 15):
        if n == 3:
            continue
        if n > b:
            break
        total += n
    for n in range(10, a & 7, -2):
        total = total * 3 + n
    for n in range(2, b & 7):
        n += 1
        total += n
    return total


def nested(a, b):
    total = 0
    while True:
        a += 1
        while a & 3:
            a += 1
            if a & 1:
                continue
            break
        total += a
        if total > 100 or total < -100:
            return total
        if total & 7 == b & 7:
            break
    return total + b


def members(a, b):
    total = 0
    for word in (a, b, a ^ b):
        if word == 1:
            continue
        total = total * 31 + word
    return total


def choices(a, b):
    match a & 7:
        case 0:
            return b
        case 1 | 2:
            b += 1
        case 5:
            pass
        case _:
            b -= 1
    return b


def tables(a, b):
    return TABLE[a & 1, b & 1] + TABLE[1][2] + TABLE.shape[1] + TABLE.size + len(TABLE)


def any_other(a, b):
    match a:
        case 1 | _:
            b = 5
    for _n in range(HIGH - 3, HIGH, 2):  # the number after the last has no room
        b += 1
    return b


def swaps(a, b):
    a, b = b, a
    a, b = a + b, a
    return a * 5 + b


PLAIN = [sums, products, shifts, orders, chains, deciding, results, conditions,
         kinds_of_a_name, loops, nested, members, choices, tables, swaps, extremes,
         quotients, by_constants, any_other]  # fmt: skip


def called(function, *arguments):
    """What plain Python says, also of the functions that it calls."""
    return wrapped(plain(function)(*arguments))


@pytest.mark.parametrize("function", PLAIN, ids=lambda function: function.__name__)
def test_compiled_code_computes_what_python_computes(function):
    code = entry(function).compile((I64, I64))
    numbers = FEW if function in (loops, nested) else EDGES
    plain = {"both": both, "less": less, "later": later}
    space = {**globals(), **{name: f.py_func for name, f in plain.items()}}
    python = type(function)(function.__code__, space)
    for a, b in product(numbers, numbers):
        if function is shifts and not -(1 << 40) < a < 1 << 40:
            continue
        assert code(a, b) == wrapped(python(a, b)), (a, b)


def quotient(a, b):
    return a // b


def remainder(a, b):
    return a % b


@pytest.mark.parametrize("function", [quotient, remainder])
def test_no_division_ends_the_process(function):
    """By 0 it gives 0, and the quotient that has no room wraps."""
    code = entry(function).compile((I64, I64))
    assert code(5, 0) == code(-TOP, 0) == 0
    assert code(-TOP, -1) == (-TOP if function is quotient else 0)


INNER = record(("n", "i8"), ("few", "u1", 4), ("rows", "i4", (2, 3)))
OUTER = record(("byte", "u1"), ("half", "i2"), ("word", "u4"), ("signed", "i4"),
               ("inner", INNER), ("many", INNER, 3), ("at", "i8"))  # fmt: skip


def fields(r, a):
    r.byte = a
    r.half = a
    r.word = a
    r.signed = a
    r.inner.n += a
    r.inner.few[a & 3] = a
    r.inner.rows[a & 1, 2] = a
    r.many[2].n = r.word - r.signed
    r.many[1].rows[:] = 5
    r.many[0].rows[:] = r.inner.rows
    r.many[0].rows[1] = r.inner.rows[0]
    r.inner.few[1 : a & 3] = 9
    r.many[a & 1].few[:2] = r.half & 255
    for few in r.many:
        few.n += few.few[0]
        if few.n > 100:
            break
    for number in r.inner.few:
        r.at += number
    r.at -= r.inner.few.sum()
    there = view(r.at, 4, np.uint16)
    there[a & 3] = a
    there[2] += r.byte
    return r.half + r.word + r.inner.few.sum() + there[2]


@pytest.mark.parametrize("a", [0, 1, 2, 3, 200, 65_535, -1, -200, (1 << 31) + 3, 1 << 40])
def test_records_are_read_and_written_as_numpy_does(a):
    def run(function):
        r, room = np.zeros(1, OUTER)[0], np.zeros(4, np.uint16)
        r.at = room.ctypes.data
        answer = function(r, a)
        r.at = 0
        return answer, r.tobytes(), room.tolist()

    def python(r, a):
        """The same in Python's integers, cut where they are stored."""
        i4 = (a + (1 << 31)) % (1 << 32) - (1 << 31)
        r.byte, r.half, r.word, r.signed = a % 256, (a + 32768) % 65536 - 32768, a % (1 << 32), i4
        r.inner.n += a
        r.inner.few[a & 3] = a % 256
        r.inner.rows[a & 1, 2] = i4
        r.many[2].n = int(r.word) - int(r.signed)
        r.many[1].rows[:] = 5
        r.many[0].rows[:] = r.inner.rows
        r.many[0].rows[1] = r.inner.rows[0]
        r.inner.few[1 : a & 3] = 9
        r.many[a & 1].few[:2] = int(r.half) & 255
        for few in r.many:
            few.n += int(few.few[0])
            if few.n > 100:
                break
        there = np.zeros(4, np.uint16)
        there[a & 3] = a % 65536
        there[2] = (int(there[2]) + int(r.byte)) % 65536
        room = (np.ctypeslib.ctypes.c_uint16 * 4).from_address(int(r.at))
        room[:] = there.tolist()
        return int(r.half) + int(r.word) + int(r.inner.few.sum()) + int(there[2])

    compiled = entry(fields).compile((kind_of(np.zeros(1, OUTER)[0]), I64))
    assert run(compiled) == run(python)


def taken(stops, table, n):
    stops[n] = table[n, 1] + table.shape[0]
    row = table[1]
    return row[0] + stops.size, n > 1


def test_python_passes_arrays_and_is_given_tuples():
    stops, table = np.zeros(3, np.int64), np.arange(6, dtype=np.int64).reshape(3, 2)
    code = entry(taken).compile((kind_of(stops), kind_of(table), I64))
    assert code(stops, table, 2) == (5, True)
    assert stops.tolist() == [0, 0, 8]
    assert entry(nothing)(1) is None
    assert entry(less.py_func)(1, 2) is True


def nothing(a):
    if a:
        return


def half(a):
    return a / 2


def text(a):
    return len(f"{a}")


def named(a):
    return less(a, b=1)


def maybe_unset(a):
    if a:
        b = a
    del a
    return b


@pytest.mark.parametrize("function", [half, text, named, maybe_unset])
def test_what_is_not_in_the_subset_is_refused_with_its_line(function):
    with pytest.raises(Unsupported, match=rf"test_front.{function.__name__}, line \d+: "):
        Program().unit(function, (I64,))


@needs_front_end
def test_numba_compiles_what_the_front_end_leaves():
    assert entry(half)(3) == 1.5
    assert entry(less.py_func)(1.5, 2.5) is True
    with pytest.raises(Unsupported):
        kind_of(1.5)


def entries_of(package):
    """The functions that Python calls in a package's modules, by module and name."""
    top = importlib.import_module(package)
    for module in pkgutil.walk_packages(top.__path__, f"{package}."):
        path = Path(module.module_finder.path, module.name.rpartition(".")[2])
        files = [path.with_suffix(".py"), path / "__init__.py"]
        if any(f.is_file() and "@entry" in f.read_text(encoding="utf-8") for f in files):
            for found in vars(importlib.import_module(module.name)).values():
                if isinstance(found, Entry) and found.__module__ == module.name:
                    yield found


def arguments():
    """What our entries are given, by the names of their parameters; all else is an integer."""
    from toyisa.core import state
    from toyisa.core.memory import new_memory
    from vmm.domain.record import new_vm

    hart, mem, vm = state.new_hart(), new_memory(4096).record, new_vm()
    row, table = np.zeros(4, np.int64), np.zeros((2, 4), np.int64)
    arrays = dict.fromkeys(("turn", "unit", "stops", "end", "found"), row)
    return {"hart": hart, "a": hart, "b": hart, "mem": mem, "a_mem": mem, "b_mem": mem, "vm": vm,
            **arrays, "units": table, "watches": table}  # fmt: skip


@needs_front_end
def test_all_entries_of_ours_are_in_the_subset():
    """Else a cold start takes ten times as long, and a warm one imports numba."""
    given, seen = arguments(), set()
    for package in ("toyisa", "vmm"):
        for found in entries_of(package):
            code = found.py_func.__code__
            names = code.co_varnames[: code.co_argcount]
            if found.__name__ == "run_vm_at":  # it takes the addresses of its records
                names = ("hart", "mem", 0, 0, 0)
            Program().unit(found.py_func, tuple(kind_of(given.get(name, 0)) for name in names))
            seen.add(found.__name__)
    units = {"execute", "serve", "manage_pool", "run_bare", "run_vm", "serve_trap", "serve_bt",
             "serve_pv", "build_tables", "run_until", "step_both"}  # fmt: skip
    assert units <= seen
