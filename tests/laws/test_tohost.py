"""Any stores to `tohost`, of any width and at any time, do the same on every engine and in any
slices.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.assembler import assemble_text
from toyisa.machine import Exit, Machine
from vmm import VirtualMachine

MEM = 1 << 20
BUDGET = 40_000  # a program that knows one half only waits 5,000 instructions
TYPED = b"kAB\x01\x00zz"

HEAD = ".globl _start, tohost, fromhost\n_start: la s3, tohost\n li s4, 0\n"
TAIL = """
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
        j       .
        .data
        .balign 64
tohost: .dword  0
        .balign 64
fromhost: .dword 0
"""
VALUES = st.one_of(
    st.sampled_from([0, 1, 2, 3, 65, 66, 0x01010000, 0x01000000]),
    st.integers(0, MEM // 4 - 1).map(lambda word: 0x8000_0000 + 4 * word),
    st.integers(0, 0xFFFF_FFFF),
)
STORES = st.one_of(
    st.sampled_from([0, 4, 0, 4, 8]).map(lambda at: f"sw a0, {at}(s3)"),
    st.integers(0, 5).map(lambda half: f"sh a0, {2 * half}(s3)"),
    st.integers(0, 11).map(lambda byte: f"sb a0, {byte}(s3)"),
    st.sampled_from(["swap", "add", "xor", "or"]).map(lambda op: f"amo{op}.w a2, a0, (s3)"),
    st.sampled_from(["lr.w a3, (s3)\n sc.w a2, a0, (s3)", "sc.w a2, a0, (s3)"]),
    st.just("lw a5, 64(s3)\n sw zero, 64(s3)\n add s4, s4, a5"),
    st.sampled_from([0, 4]).map(  # the debug console reads a byte into it
        lambda at: f"li a7, 0x4442434e\n li a6, 1\n li a0, 1\n addi a1, s3, {at}\n li a2, 0\n ecall"
    ),
    st.sampled_from([10, 1000, 2600]).map(
        lambda n: f"li a4, {n}\n77: addi a4, a4, -1\n bnez a4, 77b"
    ),
)
PROGRAMS = st.lists(st.tuples(VALUES, STORES), max_size=20).map(
    lambda acts: "\n".join(f" li a0, {value}\n {act}" for value, act in acts)
)


def ended(body, engine="native", size=BUDGET):
    """What a run in slices of `size` instructions tells."""
    bare = engine == "native"
    made = Machine(MEM, clock="icount") if bare else VirtualMachine(MEM, engine, clock="icount")
    made.load(assemble_text(HEAD + body + TAIL).elf())
    made.feed(TYPED)
    made.end_input()
    why = Exit.BUDGET
    while why is Exit.BUDGET and made.instret < BUDGET:
        why = made.run(min(size, BUDGET - made.instret))
    return (why, made.output(), made.code, made.how, made.instret, made.guest_digest(),
            int(made.hart.trail))  # fmt: skip


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["trap", "bt"])
@settings(max_examples=40, deadline=None)
@given(body=PROGRAMS)
def test_every_engine_obeys_alike(engine, body):
    assert ended(body, engine) == ended(body)


@pytest.mark.compiled
@settings(max_examples=20, deadline=None)
@given(body=PROGRAMS, size=st.sampled_from([13, 101, 501]))
def test_slices_do_not_matter(body, size):
    assert ended(body, size=size) == ended(body)
