"""The interrupt controller and the console's interrupts, seen by a guest on the machine.

A guest in assembly sets the registers and reports; each run is a whole machine.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.assembler import assemble_text
from toyisa.core import plic
from toyisa.core.memory import UART_SOURCE
from toyisa.machine import Exit, Machine
from toyisa.tables.causes import Irq
from toyisa.testing.model.plic import Plic

PRELUDE = """
.equ PLIC, 0x0c000000
.equ PRIORITY10, PLIC + 40
.equ PENDING, PLIC + 0x1000
.equ ENABLED, PLIC + 0x2080
.equ THRESHOLD, PLIC + 0x201000
.equ CLAIM, PLIC + 0x201004
.equ UART, 0x10000000
.macro set reg, value
    li t0, \\reg
    li t1, \\value
    sw t1, 0(t0)
.endm
.macro get rd, reg
    li t0, \\reg
    lw \\rd, 0(t0)
.endm
.macro uart offset, value
    li t0, UART
    li t1, \\value
    sb t1, \\offset(t0)
.endm
.macro seip rd                  # of sip only SEIP: the timer's bit is set from the start
    csrr \\rd, sip
    andi \\rd, \\rd, 0x200
.endm
.macro finish                   # a0: the exit code
    li t0, 0x100000
    slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
    sw t1, 0(t0)
.endm
.globl _start
_start:
"""


def run(body: str, data: bytes = b"", end: bool = True) -> Machine:
    machine = Machine(mem=1 << 20)
    machine.load(assemble_text(PRELUDE + body).elf())
    machine.feed(data)
    if end:
        machine.end_input()
    machine.ended_by = machine.run(1_000_000)
    return machine


def code(body: str, data: bytes = b"") -> int:
    machine = run(body, data)
    assert machine.ended_by is Exit.HALTED, machine.reason
    return machine.code


# The UART's transmitter is the source: it is empty, so it interrupts as soon as it is enabled.
RAISE = "set PRIORITY10, 3\n set ENABLED, 1 << 10\n uart 1, 2\n"


def test_priorities_keep_three_bits_and_source_0_has_none():
    body = "set PRIORITY10, 0xffff\n set PLIC, 7\n get a0, PRIORITY10\n get a1, PLIC\n"
    assert code(body + "slli a1, a1, 4\n or a0, a0, a1\n addi a0, a0, 1\n finish") == 8


def test_an_enabled_source_is_pending_and_makes_seip_pending():
    assert code(RAISE + "seip a0\n finish") == 0x200
    assert code(RAISE + "get a0, PENDING\n finish") == 1 << 10


@pytest.mark.parametrize(
    "mask",
    ["set PRIORITY10, 0", "set ENABLED, 0", "set THRESHOLD, 3"],
    ids=["priority 0", "not enabled", "at the threshold"],
)
def test_what_masks_a_source(mask):
    assert code(RAISE + mask + "\n seip a0\n addi a0, a0, 1\n finish") == 1


def test_software_cannot_clear_seip():
    assert code(RAISE + "li a0, 0x200\n csrc sip, a0\n seip a0\n finish") == 0x200


def test_a_claim_answers_once_and_completion_opens_the_gateway():
    # 10, then 0 while claimed, then 10 again, since the level is still high.
    body = RAISE + """
        get a1, CLAIM
        get a2, CLAIM
        seip a3
        set CLAIM, 10
        get a4, CLAIM
        add a0, a1, a2
        add a0, a0, a3
        slli a0, a0, 4
        add a0, a0, a4
        finish
    """
    assert code(body) == (10 << 4) + 10


def test_a_claim_does_not_look_at_the_threshold():
    assert code(RAISE + "set THRESHOLD, 7\n get a0, CLAIM\n finish") == 10


def test_completing_a_source_that_is_not_enabled_is_ignored():
    body = RAISE + "get a1, CLAIM\n set ENABLED, 0\n set CLAIM, 10\n set ENABLED, 1 << 10\n"
    assert code(body + "get a0, CLAIM\n addi a0, a0, 1\n finish") == 1


def test_a_request_stays_though_the_device_takes_it_back():
    assert code(RAISE + "uart 1, 0\n seip a0\n finish") == 0x200


def test_accesses_that_are_no_aligned_word_fault():
    body = "la t2, caught\n csrw stvec, t2\n li t0, PLIC + 2\n lb a1, 0(t0)\n j .\n"
    assert code(body + ".align 2\n caught: csrr a0, scause\n finish") == 5


def test_reading_iir_takes_the_transmitters_interrupt_back():
    # IIR says "empty", then "nothing"; writing a character says "empty" again.
    body = "uart 1, 2\n li t0, UART\n lbu a0, 2(t0)\n lbu a1, 2(t0)\n"
    body += "sb a0, 0(t0)\n lbu a2, 2(t0)\n"
    fold = "andi a0, a0, 15\n andi a1, a1, 15\n andi a2, a2, 15\n slli a1, a1, 4\n slli a2, a2, 8\n"
    assert code(body + fold + "or a0, a0, a1\n or a0, a0, a2\n finish") == 0x212


ECHO = """
    la t0, handler
    csrw stvec, t0
    set PRIORITY10, 1
    set ENABLED, 1 << 10
    uart 1, 1                   # interrupt when a byte is received
    li t0, 0x200
    csrw sie, t0
    csrsi sstatus, 2
1:  wfi
    j 1b
.align 2
handler:
    get s0, CLAIM
    li s1, UART
    lbu a1, 2(s1)               # IIR: data received
    andi a1, a1, 15
    li a2, 4
    bne a1, a2, bad
    lbu a0, 0(s1)
    sb a0, 0(s1)
    li t0, CLAIM
    sw s0, 0(t0)
    li t0, '!'
    beq a0, t0, good
    sret
bad:
    li a0, 2
    finish
good:
    li a0, 1
    finish
"""


def test_received_bytes_wake_a_sleeping_guest_one_by_one():
    machine = run(ECHO, b"abc!")
    assert (machine.ended_by, machine.code, machine.output()) == (Exit.HALTED, 1, b"abc!")
    assert machine.traps_by_cause()["irq_external"] == 4


def test_the_same_bytes_fed_late_give_the_same_run():
    # A guest that sleeps until a byte comes asks root for it: meanwhile time does not pass.
    early = run(ECHO, b"ab!")
    late = run(ECHO, end=False)
    assert late.ended_by is Exit.INPUT
    for byte in (b"a", b"b", b"!"):
        late.feed(byte)
        late.ended_by = late.run(1_000_000)
    assert late.ended_by is Exit.HALTED
    assert late.digest() == early.digest()


def test_at_the_end_of_input_the_sleeper_is_idle():
    assert run(ECHO, b"ab").ended_by is Exit.IDLE


def test_a_live_guest_that_sleeps_for_a_key_waits_for_input():
    machine = Machine(mem=1 << 20)
    machine.load(assemble_text(PRELUDE + ECHO).elf())
    machine.live = True
    assert machine.run(1_000_000) is Exit.INPUT
    machine.feed(b"x!")
    assert machine.run(1_000_000) is Exit.HALTED
    assert machine.output() == b"x!"


def test_of_equal_priorities_the_lowest_source_is_claimed_first():
    """ "... with ties ... broken by the Interrupt ID; ... the lowest ID" has precedence."""
    controller = np.zeros(1, plic.PLIC)[0]
    for source, priority in ((3, 2), (5, 6), (7, 6), (9, 1)):
        plic.store(controller, 4 * source, priority)
    plic.store(controller, plic.ENABLED, 0x3FE)
    controller.pending = 1 << 3 | 1 << 5 | 1 << 7 | 1 << 9
    assert [plic.load(controller, plic.CLAIM) for _ in range(5)] == [5, 7, 3, 9, 0]


sources = st.integers(0, 31)
values = st.one_of(st.integers(0, 7), sources, st.integers(0, 0xFFFFFFFF))
places = st.one_of(
    sources.map(lambda n: 4 * n),
    st.sampled_from([plic.PENDING, plic.ENABLED, plic.THRESHOLD, plic.CLAIM, plic.CLAIM]),
    st.integers(0, plic.SIZE // 4 - 1).map(lambda n: 4 * n),
)
known = [*range(0, 4 * 32, 4), plic.PENDING, plic.ENABLED, plic.THRESHOLD]
everything = [("store", 4 * n, 1) for n in range(1, 32)] + [("store", plic.ENABLED, 0xFFFFFFFE)]


@settings(deadline=None)
@given(
    st.booleans(),
    st.lists(
        st.one_of(
            st.tuples(st.just("load"), places),
            st.tuples(st.just("store"), places, values),
            st.tuples(st.just("lines"), st.sets(st.integers(1, 31).filter(UART_SOURCE.__ne__))),
        )
    ),
)
def test_every_register_as_the_model(begin, steps):
    """Any accesses and any lines: what is read, and whether S has an interrupt."""
    from toyisa.core.mmio import attend

    machine, model, lines = Machine(mem=1 << 20), Plic(), set()
    controller = machine.memory.plic
    for what, *arguments in everything * begin + steps:
        if what == "load":
            assert plic.load(controller, *arguments) == model.load(*arguments)
        elif what == "store":
            plic.store(controller, *arguments)
            model.store(*arguments)
        else:
            (lines,) = arguments
            controller.lines = sum(1 << n for n in lines)
        attend(machine.hart, machine.memory)
        for n in lines:
            model.drive(n)
        assert bool(machine.hart.csr.sip >> Irq.EXTERNAL & 1) is model.interrupts()
    for place in known:
        assert plic.load(controller, place) == model.load(place)
