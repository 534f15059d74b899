"""Whoever changes decoded code tells the pool: the door, by each writer and for any range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm import assemble_text
from toyisa.core.decodepool import PoolRequest, flush_pool, invalidate_range, manage_pool
from toyisa.core.memory import CODE, PAGE, RAM_BASE, STRIDE
from toyisa.machine import Machine
from toyisa.snapshots.snapshot import put, take
from toyisa.tables.causes import Exc
from toyisa.tables.requests import Writer
from vmm import VirtualMachine

A0, A1, S0, SP = 10, 11, 8, 2
FIVE, SEVEN = 0x00500513, 0x00700513  # addi a0, zero, 5; and 7
END = """
    li      t0, 0x5555
    li      t1, 0x100000
    sw      t0, 0(t1)
    .balign 4096
"""
# `spot` is executed, changed by the test where the guest makes a call, and executed again.
TWICE = f"""
    .globl _start
_start:
    la      s1, spot
    jalr    s1
    mv      s0, a0
    li      a7, 1
    li      a0, '.'
    ecall
    jalr    s1
    {END}
spot:
    .word   {FIVE}
    ret
    .balign 4096
"""


def loaded(source):
    machine = Machine(mem=1 << 20)
    machine.load(assemble_text(source).elf())
    return machine


def address(machine, name):
    return next(value for value, symbol in machine.symbols if symbol == name)


def invalidated(pool):
    """Who has invalidated decoded code."""
    return {Writer(n) for n in np.flatnonzero(pool.invalidated)}


def by_device(machine, pa, data):
    machine._dma.write(pa, data)


def by_snapshot(machine, pa, data):
    """A state that is put back, with another word at `pa`."""
    other = loaded(TWICE)
    put(take(machine), other)
    other.poke(pa, data)
    put(take(other), machine)


@pytest.mark.parametrize(("writer", "write"), [
    (Writer.DEVICE, by_device), (Writer.DEBUGGER, Machine.poke), (Writer.SNAPSHOT, by_snapshot),
])  # fmt: skip
def test_the_host_changes_code(writer, write):
    machine = loaded(TWICE)
    spot = address(machine, "spot")
    machine.run(8)  # up to the call
    assert machine.hart.x[S0] == 5
    assert not invalidated(machine.host.pool)
    write(machine, spot, SEVEN.to_bytes(4, "little"))
    machine.run()
    assert machine.hart.x[A0] == 7
    assert invalidated(machine.host.pool) == {writer}


def test_a_hart_changes_code():
    machine = loaded(TWICE.replace("ecall", f"li t0, {SEVEN}\n sw t0, 0(s1)"))
    machine.run()
    assert (machine.hart.x[S0], machine.hart.x[A0]) == (5, 7)
    assert invalidated(machine.host.pool) == {Writer.HART}


def test_a_walk_changes_code():
    """The word is a leaf with V, R and U, too, and a load through it sets A: then it is illegal."""
    machine = loaded(f"""
        .globl _start
    _start:
        la      s1, spot
        jalr    s1
        mv      s0, a0
        la      t0, root
        srli    t1, s1, 2
        ori     t1, t1, 1
        sw      t1, 0(t0)           # the first 4 MiB by the table at `spot`
        li      t1, {RAM_BASE >> 2 | 0xCF}
        li      t2, {RAM_BASE >> 22 << 2}
        add     t2, t2, t0
        sw      t1, 0(t2)           # RAM by a superpage
        srli    t0, t0, 12
        li      t1, 0x80000000
        or      t0, t0, t1
        li      t1, 1 << 18         # SUM
        csrs    sstatus, t1
        la      t1, walked
        csrw    stvec, t1
        csrw    satp, t0
        lw      t3, 0(x0)           # where it leads is no RAM
        .balign 4
    walked:
        la      t1, seen
        csrw    stvec, t1
        jalr    s1
        .balign 4
    seen:
        csrr    a1, scause
        csrw    satp, x0
        {END}
    spot:
        .word   {FIVE}
        ret
        .balign 4096
    root:
        .space  4096
    """)
    machine.run()
    assert (machine.hart.x[S0], machine.hart.x[A1]) == (5, Exc.ILLEGAL)
    assert invalidated(machine.host.pool) == {Writer.WALK}


def test_the_host_answers_into_code():
    """`fromhost` is code: a call, and then the host's answer."""
    machine = loaded(f"""
        .globl _start
    _start:
        la      s1, fromhost
        jalr    s1
        mv      s0, sp
        la      t1, seen
        csrw    stvec, t1
        la      t0, tohost
        li      t1, 0x13            # a character: the answer is 0x113, addi sp, zero, 0
        li      t2, 0x01010000
        sw      t1, 0(t0)
        sw      t2, 4(t0)
    1:  lw      t1, 0(t0)
        bnez    t1, 1b
        jalr    s1
        .balign 4
    seen:
        csrr    a1, scause
        {END}
        .globl  tohost, fromhost
    tohost:
        .dword  0
        .balign 4096
    fromhost:
        li      sp, 9
        ret
        .balign 4096
    """)
    machine.run()
    assert (machine.hart.x[S0], machine.hart.x[SP], machine.hart.x[A1]) == (9, 0, Exc.ILLEGAL)
    assert invalidated(machine.host.pool) == {Writer.HOST}


def test_the_translator_changes_its_own_code():
    machine = VirtualMachine(mem=1 << 20, engine="bt")
    machine.load(assemble_text(TWICE).elf())
    machine.run()
    assert machine.hart.x[A0] == 5
    assert invalidated(machine.host.pool) == {Writer.TRANSLATOR}


FIRST, PAGES = 4, 4  # decoded frames
WORDS = st.sampled_from([FIVE, SEVEN, 0x13, 0x02A5_8533, 0x0000_8067, 0xFE05_0EE3, 0])


@pytest.fixture(scope="module")
def filled():
    machine = Machine(mem=1 << 20)
    machine.poke(RAM_BASE, FIVE.to_bytes(4, "little") * (12 * PAGE // 4))
    return machine


def decode(machine):
    """Decode the frames, and what the pool says of each."""
    pool = machine.host.pool
    slots = [manage_pool(machine.hart, machine.memory, int(PoolRequest.SLOT), frame, 0)
             for frame in range(FIRST, FIRST + PAGES)]  # fmt: skip
    places = [slice(slot * STRIDE, (slot + 1) * STRIDE) for slot in slots]
    return [(pool.uops[place].tolist(), pool.cum[place].tolist()) for place in places]


@settings(max_examples=60, deadline=None)
@given(
    writer=st.sampled_from([*Writer]),
    offset=st.integers((FIRST - 1) * PAGE, (FIRST + PAGES + 1) * PAGE - 1),
    size=st.one_of(st.integers(1, 12), st.sampled_from([PAGE, PAGE + 1, 3 * PAGE, 7 * PAGE])),
    word=WORDS,
)
def test_what_is_decoded_is_what_ram_says(filled, writer, offset, size, word):
    """Any range by any writer: the pool is as if the pages were decoded for the first time."""
    machine, memory = filled, filled.memory
    if writer in (Writer.HART, Writer.WALK):
        offset, size = offset & ~3, 4  # a word
    decode(machine)
    machine.ram[offset : offset + size] = np.resize(
        np.frombuffer(word.to_bytes(4, "little"), np.uint8), size
    )
    invalidate_range(machine.hart, memory, offset, size, writer)
    after = decode(machine)
    flush_pool(machine.hart, memory)
    assert decode(machine) == after


def test_nothing_is_done_where_nothing_is_decoded(filled):
    flush_pool(filled.hart, filled.memory)
    decode(filled)
    before = filled.host.pool.invalidated.copy()
    for offset, size in ((0, FIRST * PAGE), ((FIRST + PAGES) * PAGE, PAGE), (FIRST * PAGE + 8, 0)):
        invalidate_range(filled.hart, filled.memory, offset, size, Writer.DEVICE)
    assert (filled.host.pool.invalidated == before).all()
    assert (filled.memory.frame_flags[FIRST : FIRST + PAGES] == CODE).all()
