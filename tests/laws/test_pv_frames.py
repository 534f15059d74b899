"""No sequence of hypercalls breaks direct paging: types and counts, containment, no way out.

Random calls with random tables are made as a guest's `ecall`s reach the engine.  The hart
itself loads and stores between them, so that its TLB remembers what it should not.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pvdomain import BASE_PPN, FRAMES, Domain
from toyisa.core.memory import PAGE, RAM_BASE
from vmm.abi.hypercalls import CALLS_END, Call
from vmm.domain.frametypes import OPEN

EXAMPLES, CALLS = 260, 50  # steps in an example: at least this many, at most twice as many


@pytest.fixture(scope="module")
def domain():
    return Domain()


# A frame is chosen by what it is when the step is made: the n-th of the present tables, one of few
# pages, or any.  Otherwise nearly every call would be refused.
TABLE, PAGE_OF_FEW, ANY = "table", "page", "any"
FEW = 100  # the first of the few, eight pages
tables = st.tuples(st.just(TABLE), st.integers(0, 7))
pages = st.tuples(st.just(PAGE_OF_FEW), st.integers(0, 7))
frames = st.one_of(tables, pages, pages, st.tuples(st.just(ANY), st.integers(0, FRAMES - 1)))
indices = st.one_of(st.sampled_from([0, 1, 100, 101, 512, 1022, 1023]), st.integers(0, 1023))
leaf_flags = st.sampled_from([3, 7, 0xF, 0x17, 0xC7, 0xCF, 0xC3, 0xCF, 0x27])
flags = st.one_of(leaf_flags, st.sampled_from([0, 1, 1, 5, 9, 0xB, 0x41, 0x3FF]))
numbers = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2, 3, 4, 0xFFFFFFFF]))
foreign = st.builds(
    lambda ppn, rest: (None, ppn << 10 | rest),
    st.one_of(st.integers(BASE_PPN, BASE_PPN + 1100), st.integers(0, 2**22 - 1)), flags,
)  # fmt: skip
wild = st.builds(lambda n: (None, n), numbers)
leaves = st.one_of(st.tuples(pages, leaf_flags), st.tuples(frames, flags), foreign, wild)
pointers = st.one_of(st.tuples(tables, st.just(1)), st.tuples(pages, st.just(1)), leaves)
kernel = st.tuples(st.just("kernel"), frames)  # where RAM is mapped to itself at first
slots = st.sampled_from([0, 1, 100, 512, 1023])
low = st.tuples(st.just("low"), st.builds(lambda i, j: i << 22 | j << 12, slots, indices))
alias = st.tuples(st.just("alias"), st.integers(0, 3))  # behind RAM, in the table that maps it
places = st.one_of(kernel, kernel, low, alias)
steps = st.one_of(
    st.tuples(st.just("leaf"), st.sampled_from([Call.SET_PTE, Call.SET_PTE_FLUSH]),
              st.one_of(tables, tables, frames), indices, leaves),
    st.tuples(st.just("pointer"), st.one_of(tables, tables, frames), indices, pointers),
    st.tuples(st.just("put"), pages, indices, leaves),
    st.tuples(st.just("batch"), pages, st.lists(
        st.tuples(st.one_of(tables, tables, frames), indices, pointers, st.booleans()),
        max_size=4)),
    st.tuples(st.just("pin"), places, st.sampled_from([0, 1, 2, 2, 2, 3])),
    st.tuples(st.just("pin"), kernel, st.just(2)),
    st.tuples(st.just("unpin"), st.one_of(st.tuples(st.just("kernel"), tables), places)),
    st.tuples(st.just("base"), st.one_of(tables, tables, frames), st.integers(0, 3)),
    st.tuples(st.just("alias"), pages, alias, st.booleans()),
    st.tuples(st.just("alias"), pages, alias, st.booleans()),
    st.tuples(st.just("load"), places), st.tuples(st.just("store"), places),
    st.tuples(st.just("store"), places),
    st.tuples(st.just("call"), st.sampled_from([Call.FLUSH, Call.FLUSH_PAGE]), numbers, numbers),
    st.tuples(st.just("call"), st.integers(0, CALLS_END - 1), numbers,
              st.one_of(numbers, st.integers(RAM_BASE, RAM_BASE + FRAMES * PAGE))),
)  # fmt: skip


def number_of(domain, frame):
    """The guest frame that a step means at that moment."""
    kind, n = frame
    if kind == TABLE:
        machine = domain.machine
        found = np.flatnonzero(machine.host.frames["kind"][machine.pages["mfn"]] >= OPEN)
        return int(found[n % len(found)])
    return FEW + n if kind == PAGE_OF_FEW else n


def value(domain, pte):
    frame, rest = pte
    if frame is None:
        return rest
    return BASE_PPN + int(domain.machine.pages["mfn"][number_of(domain, frame)]) << 10 | rest


def address(domain, place):
    kind, where = place
    if kind == "alias":
        return RAM_BASE + (FRAMES + where) * PAGE
    return where if kind == "low" else RAM_BASE + number_of(domain, where) * PAGE


def perform(domain, step, n):
    """One step of a hostile guest; return how many hypercalls that was."""
    match step:
        case "call", number, a0, a1:
            domain.call(number, a0, a1, 0)
        case "leaf", number, frame, index, pte:
            at = RAM_BASE + number_of(domain, frame) * PAGE + 4 * index
            domain.call(number, at, value(domain, pte), RAM_BASE)
        case "pointer", frame, index, pte:
            at = RAM_BASE + number_of(domain, frame) * PAGE + 4 * index
            domain.call(Call.SET_PGD, at, value(domain, pte), 0)
        case "put", frame, index, pte:
            domain.put(number_of(domain, frame), index, value(domain, pte))
            return 0
        case "batch", frame, updates:
            gfn = number_of(domain, frame)
            for m, (target, index, pte, as_root) in enumerate(updates):
                at = RAM_BASE + number_of(domain, target) * PAGE + 4 * index
                domain.put(gfn, 2 * m, at | as_root)
                domain.put(gfn, 2 * m + 1, value(domain, pte))
            domain.call(Call.UPDATE_PTES, RAM_BASE + gfn * PAGE, len(updates), 0)
        case "pin", place, level:
            domain.call(Call.PIN_TABLE, address(domain, place), level, 0)
        case "unpin", place:
            domain.call(Call.UNPIN_TABLE, address(domain, place), 0, 0)
        case "base", frame, asid:
            satp = 1 << 31 | asid << 22 | BASE_PPN + number_of(domain, frame)
            domain.call(Call.NEW_BASE, satp, 0, 0)
        case "alias", frame, place, keep:  # a second way to a page, used, and perhaps gone again
            gva = address(domain, place)
            at = domain.entry_of(gva)
            domain.call(Call.SET_PTE, at, value(domain, (frame, 0xCF)), 0)
            domain.access(gva, 0)  # the page can still become a table
            if not keep:
                domain.call(Call.SET_PTE, at, 0, 0)
            return 1 if keep else 2
        case "load", place:
            domain.access(address(domain, place), None)
            return 0
        case "store", place:
            domain.access(address(domain, place), 4 * n + 4)
            return 0
    return 1


def test_books_are_true_after_any_calls(domain):
    made = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
    @given(st.lists(steps, min_size=CALLS, max_size=2 * CALLS))
    def run(program):
        domain.fresh()
        for n, step in enumerate(program):
            made.append(perform(domain, step, n))
        domain.check()

    run()
    assert sum(made) >= 10_000
