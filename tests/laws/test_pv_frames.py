"""No sequence of hypercalls breaks direct paging: books, containment, no way out.

Random calls with random tables are made as a guest's `ecall`s reach the engine, and the
hart itself loads and stores between them, so that its TLB remembers what it should not.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import framecheck
from toyisa.access import FAULT
from toyisa.causes import Exc
from toyisa.decode import decode
from toyisa.exits import Reason
from toyisa.memory import PAGE, RAM_BASE, WORDS
from toyisa.requests import Request
from toyisa.serve import serve
from vmm.direct.build import build_tables
from vmm.engines.pv import MARK, serve_pv
from vmm.frametypes import OPEN
from vmm.hypercalls import FIRST, ROWS, Call, Word
from vmm.machine import VirtualMachine
from vmm.requests import EngineRequest

FRAMES = 256
EXAMPLES, CALLS = 260, 50  # 13 000 calls, at most; most examples are of full length
BASE_PPN = RAM_BASE >> 12
POISON = 0xDEADBEEF
STORE, LOAD = 0x0062_A023, 0x0002_A303  # sw t1, 0(t0); lw t1, 0(t0)


class Domain:
    """A domain of 256 frames in the midst of poison, and a hart to try things with."""

    def __init__(self):
        self.machine = machine = VirtualMachine(engine="pv", mem=FRAMES * PAGE, scatter=7)
        machine.symbols = ((0, MARK),)
        self.words = machine.real_ram.view("<u4")
        self.own = {int(m) for m in machine.vm.p2m[:FRAMES]}
        # What is the monitor's and not the window's is poison.
        self.foreign = sorted(set(range(machine.real_ram.size // PAGE)) - self.own)
        window = int(machine.vm.own)
        self.poisoned = [m for m in self.foreign if not window <= m < window + 517]
        self.pages = self.words.reshape(-1, WORDS)
        self.pages[self.poisoned] = POISON
        self.keep = self.words[window * WORDS : (window + 517) * WORDS].copy()
        self.window = window
        self.uops = [decode(np.int64(word), np.int64(0)) for word in (STORE, LOAD)]

    def fresh(self):
        """As a domain is when it begins."""
        vm, hart, mem = self.machine.vm, self.machine.real_hart, self.machine.real_memory
        self.pages[sorted(self.own)] = 0
        hart.tlb.dkey[:] = hart.tlb.ikey[:] = -1
        hart.tlb.rtag[:] = hart.tlb.wtag[:] = hart.tlb.xtag[:] = -1
        vm.hart.csr.stvec = vm.hart.csr.sie = 0
        vm.hart.priv = 1
        vm.platform.console.ended = 1
        build_tables(vm, hart, mem, FRAMES)

    def call(self, number, a0, a1, a2):
        """An `ecall`; a0 afterwards."""
        machine = self.machine
        vm, hart, mem = machine.vm, machine.real_hart, machine.real_memory
        hart.x[10:13] = a0, a1, a2
        hart.x[17] = (FIRST + number) & 0xFFFFFFFF
        hart.exit.cause = Exc.ECALL_S
        vm.hart.csr.sepc = RAM_BASE
        vm.platform.console.tx_len = 0
        reason = serve_pv(hart, mem, vm, EngineRequest.EXIT, Reason.TRAP)
        assert reason in (Reason.RUN, Reason.IDLE)
        vm.hart.priv = 1
        return int(hart.x[10])

    def access(self, gva, store):
        """A load or store of the guest's kernel; whether it was done."""
        machine = self.machine
        vm, hart, mem = machine.vm, machine.real_hart, machine.real_memory
        serve_pv(hart, mem, vm, EngineRequest.ENTER, 0)
        hart.x[5], hart.x[6] = gva, store or 0
        uop = self.uops[0 if store is not None else 1]
        return serve(hart, mem, Request.ACCESS, uop, 0) != FAULT

    def entry_of(self, gva):
        """The guest-physical address of the second-level entry of `gva` in the current space."""
        vm = self.machine.vm
        pte = int(self.words[int(vm.direct.root) * WORDS + (gva >> 22)])
        gfn = int(vm.m2p[(pte >> 10) - BASE_PPN]) if pte & 1 else 0
        return RAM_BASE + gfn * PAGE + 4 * (gva >> 12 & 0x3FF)

    def put(self, gfn, index, value):
        """The guest writes a word of a frame that is no table, by whatever mapping."""
        mfn = int(self.machine.vm.p2m[gfn])
        if self.machine.vm.direct.kind[mfn] < OPEN:
            self.words[mfn * WORDS + index] = value

    def check(self):
        framecheck.check(self.machine)
        written = (self.pages[self.poisoned] != POISON).any(axis=1)
        assert not written.any(), f"foreign frames {np.array(self.poisoned)[written]}"
        now = self.words[self.window * WORDS : (self.window + 517) * WORDS]
        changed = np.flatnonzero(now != self.keep)
        shared = int(self.machine.private[0].words) - self.window * WORDS
        assert set(changed.tolist()) <= set(range(shared, shared + len(Word)))


@pytest.fixture(scope="module")
def domain():
    return Domain()


# A frame is drawn as what it is when the step is made: the n-th of the tables that there
# are, one of few pages, or any.  Else hardly a call would do more than be refused.
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
kernel = st.tuples(st.just("kernel"), frames)  # where RAM is mapped to itself, at first
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
    st.tuples(st.just("call"), st.integers(0, len(ROWS) - 1), numbers,
              st.one_of(numbers, st.integers(RAM_BASE, RAM_BASE + FRAMES * PAGE))),
)  # fmt: skip


def number_of(domain, frame):
    """The guest frame that a step means, now."""
    kind, n = frame
    if kind == TABLE:
        vm = domain.machine.vm
        found = np.flatnonzero(vm.direct.kind[vm.p2m[:FRAMES]] >= OPEN)
        return int(found[n % len(found)])
    return FEW + n if kind == PAGE_OF_FEW else n


def value(domain, pte):
    frame, rest = pte
    if frame is None:
        return rest
    return BASE_PPN + int(domain.machine.vm.p2m[number_of(domain, frame)]) << 10 | rest


def address(domain, place):
    kind, where = place
    if kind == "alias":
        return RAM_BASE + (FRAMES + where) * PAGE
    return where if kind == "low" else RAM_BASE + number_of(domain, where) * PAGE


def perform(domain, step):
    """One step of a hostile guest; how many hypercalls that was."""
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
            for n, (target, index, pte, as_root) in enumerate(updates):
                at = RAM_BASE + number_of(domain, target) * PAGE + 4 * index
                domain.put(gfn, 2 * n, at | as_root)
                domain.put(gfn, 2 * n + 1, value(domain, pte))
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
            domain.access(gva, 0)  # the page stays fit for a table
            if not keep:
                domain.call(Call.SET_PTE, at, 0, 0)
            return 1 if keep else 2
        case "load", place:
            domain.access(address(domain, place), None)
            return 0
        case "store", place:
            domain.access(address(domain, place), 4 * len(made) + 4)
            return 0
    return 1


made = []


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(st.lists(steps, min_size=CALLS, max_size=2 * CALLS))
def test_books_are_true_after_any_calls(domain, program):
    domain.fresh()
    for step in program:
        made.append(perform(domain, step))
    domain.check()


def test_that_was_enough():
    """At least ten thousand hypercalls, when the test above ran in full."""
    if len(made) < EXAMPLES * CALLS // 2:
        pytest.skip("the fuzz test ran in another process, or not in full")
    assert sum(made) >= 10_000
