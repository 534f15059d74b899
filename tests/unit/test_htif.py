"""`tohost`: programs that print, make calls and end by it, with halves stored in any order."""

import shutil
import subprocess

import pytest

from asm.assembler import assemble_text
from tests.guests.qemu import QEMU
from tests.unit.asm import gnu
from toyisa.core.tohost import LONE
from toyisa.devices.htif import PATIENCE
from toyisa.machine import Exit, Machine
from vmm import VirtualMachine

LOW_FIRST, HIGH_FIRST = ("0", "4"), ("4", "0")
MEM = 1 << 20
BOARD = "\n.data\n.balign 64\ntohost: .dword 0\n.balign 64\nfromhost: .dword 0\n"
HEAD = ".globl _start, tohost, fromhost\n_start: la s0, tohost\n la s2, fromhost\n"

PRINT = """
        la      s1, text
next:   lbu     a0, 0(s1)
        addi    s1, s1, 1
        addi    a3, a0, -'|'        # the end
        beqz    a3, done
        li      a1, 0x01010000
        sw      {first}, {at[0]}(s0)
        sw      {second}, {at[1]}(s0)
1:      lw      a2, 0(s0)
        lw      a3, 4(s0)
        or      a2, a2, a3
        bnez    a2, 1b
        j       next
done:   li      a0, {code}
        li      a1, 0
        sw      {first}, {at[0]}(s0)
        sw      {second}, {at[1]}(s0)
        j       .
text:   .ascii  "BDF ace\\0\\n|"
"""


def printer(at, code=1):
    first, second = ("a0", "a1") if at == LOW_FIRST else ("a1", "a0")
    return PRINT.format(at=at, code=code, first=first, second=second)


def elf(body):
    return assemble_text(HEAD + body + BOARD).elf()


@pytest.fixture(params=["native", "trap", "bt"])
def ended(request):
    """Run a body to its end; return the machine, and how it stopped."""

    def run(body, budget=60_000):
        name = request.param
        made = Machine(MEM, clock="icount") if name == "native" else VirtualMachine(
            MEM, name, clock="icount"
        )  # fmt: skip
        made.load(elf(body))
        made.end_input()
        made.ended_by = made.run(budget)
        return made

    return run


@pytest.mark.parametrize("at", [LOW_FIRST, HIGH_FIRST], ids=["low first", "high first"])
def test_characters_with_either_half_first(ended, at):
    machine = ended(printer(at))
    assert (machine.ended_by, machine.output(), machine.code) == (
        Exit.HALTED, b"BDF ace\0\n", 0,
    )  # fmt: skip
    assert machine.how == "tohost"
    assert machine.instret < LONE, "nothing had to be waited for"


@pytest.mark.parametrize("at", [LOW_FIRST, HIGH_FIRST], ids=["low first", "high first"])
def test_the_exit_code_is_the_rest_of_the_payload(ended, at):
    assert ended(printer(at, 42 << 1 | 1)).code == 42


@pytest.mark.parametrize("engine", ["trap", "bt"])
def test_however_long_the_monitor_takes_between_the_halves(engine):
    """On a machine whose exits are dear; and the kernel is also interrupted there."""
    made = VirtualMachine(MEM, engine, cost="p4")
    source = printer(LOW_FIRST).replace("sw      a1, 4", ".rept 1000\nnop\n.endr\nsw      a1, 4")
    made.load(elf(source))
    assert made.run(1_000_000) is Exit.HALTED
    assert (made.output(), made.code) == (b"BDF ace\0\n", 0)


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="qemu-system-misc is not installed")
@gnu.needed
def test_qemus_spike_machine_prints_the_same(tmp_path):
    sizes = ".size tohost, 8\n.size fromhost, 8\n"
    gnu.link(HEAD + printer(LOW_FIRST, 5 << 1 | 1) + BOARD + sizes, tmp_path)
    done = subprocess.run(
        [QEMU, "-M", "spike", "-bios", tmp_path / "in.elf", "-display", "none", "-monitor",
         "none", "-serial", "stdio"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == (b"BDF ace\0\n", 5)


def test_a_program_that_knows_but_the_low_half_ends_too(ended):
    machine = ended("li a0, 7\n sw a0, 0(s0)\n j .")
    assert (machine.ended_by, machine.code) == (Exit.HALTED, 3)
    assert LONE + PATIENCE <= machine.instret <= LONE + PATIENCE + 20


def test_to_store_the_low_half_again_is_to_end(ended):
    machine = ended("li a0, 7\n1: sw a0, 0(s0)\n j 1b")
    assert (machine.ended_by, machine.code) == (Exit.HALTED, 3)
    assert machine.instret < 20


def test_a_byte_is_enough(ended):
    assert ended("li a0, 7\n sb a0, 0(s0)\n j .").code == 3


def test_a_program_that_breaks_after_it_has_told_its_end(ended):
    machine = ended("li a0, 7\n sw a0, 0(s0)\n .word 0")
    assert (machine.ended_by, machine.code) == (Exit.HALTED, 3)


def test_one_that_sleeps_after_it(ended):
    machine = ended("li a0, 7\n sw a0, 0(s0)\n 1: wfi\n j 1b")
    assert (machine.ended_by, machine.code) == (Exit.HALTED, 3)


def test_halves_that_say_nothing_are_forgotten(ended):
    """A zeroed half means nothing; nor does a device without a character."""
    wait = f"li a2, {LONE + PATIENCE}\n1: addi a2, a2, -1\n bnez a2, 1b\n"
    clear = "sw zero, 0(s0)\n" + wait + "li a1, 0x01010000\n sw a1, 4(s0)\n" + wait
    machine = ended(clear + "sw zero, 4(s0)\n sw zero, 0(s0)\n" + printer(HIGH_FIRST))
    assert machine.output() == b"BDF ace\0\n"


def test_a_store_that_fails_tells_nothing(ended):
    machine = ended("li a0, 7\n sc.w a1, a0, (s0)\n sc.w a1, a0, (s0)\n j .", 200_000)
    assert machine.ended_by is Exit.BUDGET


CALL = """
        la      s1, call
        sw      s1, 0(s0)
        sw      zero, 4(s0)
1:      lw      a1, 0(s2)
        beqz    a1, 1b
        sw      zero, 0(s2)
        lw      a0, 0(s1)
        lw      a2, 4(s1)
        lw      a3, 0(s0)
        li      t0, 0x100000
        sub     a0, a3, a0          # 0 less the result
        slli    a0, a0, 16
        li      t1, 0x3333
        or      t1, t1, a0
        sw      t1, 0(t0)
        j       .
text:   .ascii  "hello"
        .balign 64
call:   .dword  {number}, {file}, {buffer}, {size}, 0, 0, 0, 0
"""


def called(number, file=1, buffer="text", size=5):
    return CALL.format(number=number, file=file, buffer=buffer, size=size)


def test_a_program_writes_by_a_system_call(ended):
    machine = ended(called(64))
    assert machine.output() == b"hello"
    assert machine.code == 0xFFFB, "5, negated in sixteen bits"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (called(64, file=3), 9),
        (called(64, buffer="0xffffffff00000000"), 14),
        (called(64, buffer="0x800ffffc"), 14),
        (called(64, buffer="0x80000000", size="-1"), None),
        (called(57), 38),
    ],
    ids=["no such file", "beyond all", "at the end of RAM", "as long as can be", "no such call"],
)
def test_system_calls_that_cannot_be(ended, call, error):
    machine = ended(call)
    assert machine.how == "finisher"
    if error:
        assert machine.code == error
    else:
        assert len(machine.output()) == 8192


def test_a_program_ends_by_a_system_call(ended):
    machine = ended(called(93, file=9))
    assert (machine.how, machine.code) == ("tohost", 9)


@pytest.mark.parametrize("at", ["0x10", "0x80000003 + 0x1ffffd", "0xfffffffe"])
def test_a_call_outside_ram_is_answered_by_nothing(ended, at):
    machine = ended(f"li a0, {at}\n sw a0, 0(s0)\n sw zero, 4(s0)\n1: lw a0, 0(s2)\n beqz a0, 1b\n"
                    "li a0, 1\n sw a0, 0(s0)\n sw zero, 4(s0)\n j .")  # fmt: skip
    assert (machine.how, machine.code) == ("tohost", 0)
