"""No sequence of hypercalls breaks direct paging: books, containment, no way out.

Random calls with random tables are made as a guest's `ecall`s reach the engine, and the
hart itself loads and stores between them, so that its TLB remembers what it should not.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import framecheck
from toyisa.causes import Exc
from toyisa.decode import decode
from toyisa.exits import Reason
from toyisa.memory import PAGE, RAM_BASE, WORDS
from toyisa.mmu import drop_fast_tags, flush
from toyisa.requests import Request
from toyisa.serve import serve
from vmm.direct.build import build_tables
from vmm.engines.pv import MARK, serve_pv
from vmm.frametypes import OPEN
from vmm.hypercalls import FIRST, MAX_BATCH, ROWS, Call, Word
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
        for mfn in self.poisoned:
            self.words[mfn * WORDS : (mfn + 1) * WORDS] = POISON
        self.keep = self.words[window * WORDS : (window + 517) * WORDS].copy()
        self.window = window
        self.stack = [decode(np.int64(word), np.int64(0)) for word in (STORE, LOAD)]

    def fresh(self):
        """As a domain is when it begins."""
        vm, hart, mem = self.machine.vm, self.machine.real_hart, self.machine.real_memory
        for mfn in self.own:
            self.words[mfn * WORDS : (mfn + 1) * WORDS] = 0
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
        before = None
        uop = self.stack[0 if store is not None else 1]
        done = serve(hart, mem, Request.ACCESS, uop, 0)
        assert done <= 3, before
        return done != 3

    def put(self, gfn, index, value):
        """The guest writes a word of a frame that is no table, by whatever mapping."""
        mfn = int(self.machine.vm.p2m[gfn])
        if self.machine.vm.direct.kind[mfn] < OPEN:
            self.words[mfn * WORDS + index] = value

    def check(self):
        framecheck.check(self.machine)
        for mfn in self.poisoned:
            page = self.words[mfn * WORDS : (mfn + 1) * WORDS]
            assert (page == POISON).all(), f"foreign frame {mfn} was written"
        now = self.words[self.window * WORDS : (self.window + 517) * WORDS]
        changed = np.flatnonzero(now != self.keep)
        shared = int(self.machine.private[0].words) - self.window * WORDS
        assert set(changed.tolist()) <= set(range(shared, shared + len(Word)))


@pytest.fixture(scope="module")
def domain():
    return Domain()


FEW = 12  # frames that most draws are of, so that they meet
gfns = st.one_of(st.integers(100, 100 + FEW), st.integers(FRAMES - 4, FRAMES - 1),
                 st.integers(0, FRAMES - 1))  # fmt: skip
indices = st.one_of(st.sampled_from([0, 1, 100, 101, 512, 1022, 1023]), st.integers(0, 1023))
flags = st.sampled_from([0, 1, 3, 7, 0xF, 0x17, 0xC7, 0xCF, 0xC3, 5, 9, 0xB, 0x27, 0x41, 0x3FF])
numbers = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2, 3, 4, 0xFFFFFFFF]))


@st.composite
def ptes(draw):
    """An entry: (None, value) as it is, or (gfn, flags) for one of the domain's frames."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return None, draw(numbers)
    if kind == 1:  # a foreign frame, the shadow pool's, the window's, or what is no RAM
        ppn = draw(st.one_of(st.integers(BASE_PPN, BASE_PPN + 1100), st.integers(0, 2**22 - 1)))
        return None, ppn << 10 | draw(flags)
    return draw(gfns), draw(flags)


gpas = st.builds(lambda g, i: RAM_BASE + g * PAGE + 4 * i, gfns, indices)
gvas = st.one_of(
    st.builds(lambda g: RAM_BASE + g * PAGE, gfns),
    st.builds(lambda i, j: i << 22 | j << 12, st.sampled_from([0, 1, 512, 1023]), indices),
)
pins = st.tuples(st.just("call"), st.just(Call.PIN_TABLE), gvas, st.integers(0, 3))
steps = st.one_of(
    st.tuples(st.just("entry"), st.sampled_from([Call.SET_PTE, Call.SET_PGD, Call.SET_PTE_FLUSH]),
              gfns, indices, ptes()),
    st.tuples(st.just("put"), gfns, indices, ptes()),
    st.tuples(st.just("batch"), gfns, st.lists(st.tuples(gfns, indices, ptes(), st.booleans()),
                                               max_size=4)),
    pins, pins,
    st.tuples(st.just("call"), st.just(Call.UNPIN_TABLE), gvas, st.just(0)),
    st.tuples(st.just("call"), st.just(Call.NEW_BASE),
              st.builds(lambda g, a: 1 << 31 | a << 22 | BASE_PPN + g, gfns, st.integers(0, 3)),
              st.just(0)),
    st.tuples(st.just("load"), gvas), st.tuples(st.just("store"), gvas),
    st.tuples(st.just("call"), st.sampled_from([Call.FLUSH, Call.FLUSH_PAGE]), gvas, st.just(0)),
    st.tuples(st.just("call"), st.integers(0, len(ROWS) - 1), st.one_of(numbers, gpas, gvas),
              st.one_of(numbers, gpas)),
)  # fmt: skip


def value(domain, pte):
    gfn, rest = pte
    return rest if gfn is None else BASE_PPN + int(domain.machine.vm.p2m[gfn]) << 10 | rest


def perform(domain, step):
    """One step of a hostile guest; how many hypercalls that was."""
    kind, *rest = step
    if kind == "call":
        domain.call(rest[0], rest[1], rest[2], 0)
        return 1
    if kind == "entry":
        number, gfn, index, pte = rest
        domain.call(number, RAM_BASE + gfn * PAGE + 4 * index, value(domain, pte), RAM_BASE)
        return 1
    if kind == "put":
        gfn, index, pte = rest
        domain.put(gfn, index, value(domain, pte))
    elif kind == "batch":
        gfn, updates = rest
        for n, (target, index, pte, as_root) in enumerate(updates):
            domain.put(gfn, 2 * n, RAM_BASE + target * PAGE + 4 * index | as_root)
            domain.put(gfn, 2 * n + 1, value(domain, pte))
        domain.call(Call.UPDATE_PTES, RAM_BASE + gfn * PAGE, len(updates), 0)
        return 1
    elif kind == "load":
        domain.access(rest[0], None)
    else:
        domain.access(rest[0], POISON)
    return 0


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
