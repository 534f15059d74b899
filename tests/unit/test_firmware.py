"""SBI calls on the bare machine, against the specification's text (2.0)."""

import pytest

from asm.assembler import assemble_text
from toyisa.core.firmware import BASE, DBCN, HSM, IPI, RFENCE, SRST, TIME
from toyisa.core.memory import RAM_BASE
from toyisa.look import inspect
from toyisa.machine import Exit, Machine

OK, FAILED, NOT_SUPPORTED, INVALID_PARAM, ALREADY_AVAILABLE = 0, -1, -2, -3, -6
ALL = 0xFFFF_FFFF  # as hart_mask_base
UNTOUCHED = 77
PMU, SUSP = 0x504D55, 0x53555350

BUFFER, END = RAM_BASE + 0x8000, RAM_BASE + (1 << 20)


def call(extension, function, *arguments, data=b""):
    """The machine after one call, with the answers in a0 and a1."""
    machine = Machine(mem=1 << 20)
    machine.load(assemble_text(".globl _start\n_start: ecall\n j .\n").elf())
    machine.poke(BUFFER, b"hello")
    machine.feed(data)
    machine.end_input()
    machine.hart.x[10:16] = [*arguments, *[UNTOUCHED] * (6 - len(arguments))]
    machine.hart.x[16], machine.hart.x[17] = function, extension
    machine.ended_by = machine.run(2)
    return machine


def signed(value):
    return int(value) - (1 << 32) * (int(value) >> 31)


def answer(extension, function, *arguments):
    machine = call(extension, function, *arguments)
    assert machine.ended_by is Exit.BUDGET
    return signed(machine.hart.x[10]), int(machine.hart.x[11])


@pytest.mark.parametrize(
    ("extension", "function", "arguments", "expected"),
    [
        (BASE, 0, (), (OK, 2 << 24)),
        *((BASE, 3, (known,), (OK, 1)) for known in (BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN)),
        *((BASE, 3, (legacy,), (OK, 1)) for legacy in (0, 1, 2, 8)),
        *((BASE, 3, (unknown,), (OK, 0)) for unknown in (9, PMU, SUSP, 0xFFFF_FFFF)),
        *((BASE, n, (), (OK, 0)) for n in (4, 5, 6)),
        (IPI, 0, (1, 0), (OK, 0)),
        (IPI, 0, (0, 0), (OK, 0)),
        (IPI, 0, (0, ALL), (OK, 0)),
        (IPI, 0, (2, 0), (INVALID_PARAM, 0)),
        (IPI, 0, (3, 0), (INVALID_PARAM, 0)),
        (IPI, 0, (1, 1), (INVALID_PARAM, 0)),
        *((RFENCE, n, (1, 0, 0, 0, 0), (OK, 0)) for n in (0, 1, 2)),
        *((RFENCE, n, (4, 0, 0, 0, 0), (INVALID_PARAM, 0)) for n in (0, 1, 2)),
        (HSM, 0, (0, RAM_BASE, 0), (ALREADY_AVAILABLE, 0)),
        (HSM, 0, (1, RAM_BASE, 0), (INVALID_PARAM, 0)),
        (HSM, 1, (), (FAILED, 0)),
        (HSM, 2, (0,), (OK, 0)),
        (HSM, 2, (1,), (INVALID_PARAM, 0)),
        *((HSM, 3, (kind, RAM_BASE, 0), (INVALID_PARAM, 0)) for kind in (
            1, 0x0FFF_FFFF, 0x1000_0000, 0x7FFF_FFFF, 0x8000_0001, 0x8FFF_FFFF, 0x9000_0000,
            0xFFFF_FFFF,
        )),
        (HSM, 3, (0x8000_0000, RAM_BASE, 0), (NOT_SUPPORTED, 0)),
        (SRST, 0, (3, 0), (INVALID_PARAM, 0)),
        (SRST, 0, (0, 2), (INVALID_PARAM, 0)),
        (DBCN, 0, (5, BUFFER, 0), (OK, 5)),
        (DBCN, 0, (0, BUFFER, 0), (OK, 0)),
        (DBCN, 0, (5, BUFFER, 1), (INVALID_PARAM, 0)),
        (DBCN, 0, (5, 0, 0), (INVALID_PARAM, 0)),
        (DBCN, 0, (4, END - 4, 0), (OK, 4)),
        (DBCN, 0, (4, END - 3, 0), (INVALID_PARAM, 0)),
        (DBCN, 0, (0xFFFF_FFFF, BUFFER, 0xFFFF_FFFF), (INVALID_PARAM, 0)),
        # offset + size wraps in 64 bits, or the offset itself does
        (DBCN, 1, (0x8100_0000, 0xFFFF_EFFF, 0x7FFF_FFFF), (INVALID_PARAM, 0)),
        (DBCN, 1, (0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000), (INVALID_PARAM, 0)),
        (DBCN, 1, (0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF), (INVALID_PARAM, 0)),
        (DBCN, 1, (0xFFFF_FFFF, BUFFER, 0), (INVALID_PARAM, 0)),
        (DBCN, 1, (END - BUFFER, BUFFER, 0), (OK, 0)),
        (DBCN, 1, (END - BUFFER + 1, BUFFER, 0), (INVALID_PARAM, 0)),
        (DBCN, 1, (0, END, 0), (OK, 0)),
        (DBCN, 1, (0, END + 1, 0), (INVALID_PARAM, 0)),
        (DBCN, 1, (5, 0, 0), (INVALID_PARAM, 0)),
        (DBCN, 1, (5, BUFFER, 0), (OK, 0)),
        (DBCN, 2, (ord("x"),), (OK, 0)),
        (TIME, 0, (5, 6), (OK, 0)),
    ],
)
def test_what_a_call_answers(extension, function, arguments, expected):
    assert answer(extension, function, *arguments) == expected


@pytest.mark.parametrize(
    ("extension", "function"),
    [(BASE, 7), (TIME, 1), (IPI, 1), (RFENCE, 3), (RFENCE, 7), (HSM, 4), (SRST, 1),
     (DBCN, 3), (PMU, 0), (SUSP, 0), (9, 0), (0x0A00_0000, 0), (0xFFFF_FFFF, 0)],
)  # fmt: skip
def test_unknown_functions(extension, function):
    assert answer(extension, function)[0] == NOT_SUPPORTED


def test_a_legacy_call_leaves_a1():
    assert answer(1, 0, ord("x")) == (0, UNTOUCHED)
    assert call(1, 0, ord("x")).output() == b"x"
    assert answer(2, 0)[0] == -1  # no key
    assert int(call(2, 0, data=b"k").hart.x[10]) == ord("k")


def test_a_hart_suspends_until_an_interrupt_is_pending():
    machine = call(HSM, 3, 0)
    assert machine.ended_by is Exit.IDLE
    assert machine.hart.pc == RAM_BASE, "not yet answered"
    machine.hart.csr.sie = 1 << 5
    machine.hart.csr.stimecmp, machine.hart.csr.stimecmph = 1000, 0
    assert machine.run(2) is Exit.BUDGET
    assert (int(machine.hart.x[10]), machine.hart.pc) == (OK, RAM_BASE + 4)
    assert machine.hart.clock.idle > 0


def test_no_tick_is_due_before_one_is_asked_for():
    """A kernel may enable its timer interrupt before it sets the timer: under OpenSBI none is
    pending either.
    """
    machine = call(BASE, 0)
    assert (machine.hart.csr.stimecmp, machine.hart.csr.stimecmph) == (ALL, ALL)
    assert inspect.csr(machine, "sip") == 0


def test_timers_and_software_interrupts_become_pending():
    for machine in (call(TIME, 0, 5, 6), call(0, 0, 5, 6)):
        assert (machine.hart.csr.stimecmp, machine.hart.csr.stimecmph) == (5, 6)
    assert call(IPI, 0, 1, 0).hart.csr.sip & 2
    assert call(IPI, 0, 0, ALL).hart.csr.sip & 2
    for base in (0, 1):
        assert not call(IPI, 0, 0, base).hart.csr.sip & 2


def test_the_debug_console():
    assert call(DBCN, 0, 5, BUFFER, 0).output() == b"hello"
    assert call(DBCN, 2, ord("y")).output() == b"y"
    machine = call(DBCN, 1, 5, BUFFER, 0, data=b"k")
    assert (signed(machine.hart.x[10]), machine.hart.x[11]) == (OK, 1)
    assert machine.ram[BUFFER - RAM_BASE :][:5].tobytes() == b"kello"


@pytest.mark.parametrize("extension", [8, SRST])
@pytest.mark.parametrize(("reason", "code"), [(0, 0), (1, 1)])
def test_ways_to_end(extension, reason, code):
    machine = call(extension, 0, 0, reason)
    assert machine.ended_by is Exit.HALTED
    assert machine.code == (code if extension == SRST else 0)
    assert machine.how == "sbi"
