"""The UART's registers do what QEMU's do, step by step; then what drivers need of it."""

import random
import shutil
import subprocess

import pytest

from asm.assembler import assemble_text
from tests.guests.qemu import FLAGS, QEMU
from toyisa.machine import Exit, Machine

DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR = 0, 1, 2, 2, 3, 4, 5, 6, 7
LOOP = 0x10

# Does the steps (store or load, register, value), then prints what was loaded, in hex.
PROGRAM = """
    .globl _start
_start: la      s0, steps
        la      s1, end
        la      s2, loaded
        li      s3, 0x10000000
1:      bgeu    s0, s1, print
        lbu     t0, 0(s0)
        lbu     t1, 1(s0)
        lbu     t2, 2(s0)
        addi    s0, s0, 3
        add     t1, t1, s3
        bnez    t0, 2f
        sb      t2, 0(t1)
        j       1b
2:      lbu     t2, 0(t1)
        sb      t2, 0(s2)
        addi    s2, s2, 1
        j       1b
print:  sb      zero, 3(s3)
        sb      zero, 4(s3)
        la      s0, loaded
3:      bgeu    s0, s2, done
        lbu     t0, 0(s0)
        addi    s0, s0, 1
        srli    a0, t0, 4
        jal     digit
        andi    a0, t0, 15
        jal     digit
        j       3b
digit:  addi    a0, a0, 48
        li      t1, 58
        bltu    a0, t1, 4f
        addi    a0, a0, 39
4:      sb      a0, 0(s3)
        ret
done:   li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
        j       .
        .data
steps:  .byte   {steps}
end:
        .bss
loaded: .space  {room}
"""


def store(register, value):
    return (0, register, value)


def load(register):
    return (1, register, 0)


def program(steps):
    text = ", ".join(str(byte) for step in steps for byte in step)
    return assemble_text(PROGRAM.format(steps=text, room=len(steps))).elf()


def ours(steps, data=b""):
    """Everything that is printed: what the steps send, then what they have loaded."""
    machine = Machine(mem=1 << 20)
    machine.load(program(steps))
    machine.feed(data)
    machine.end_input()
    assert machine.run(1_000_000) is Exit.HALTED
    return machine.output()


def loaded(*steps, data=b""):
    """The values that the steps load; they must send nothing."""
    return list(bytes.fromhex(ours(steps, data).decode()))


def any_step(rng):
    """A register and a value, of those that are modelled; triggers of the FIFO are not."""
    values = {
        DATA: range(256), IER: (0, 1, 2, 3, 4, 5, 7, 15, 255), FCR: (0, 1, 3, 5, 7, 2, 4, 6),
        LCR: (3, 3, 3, 0x83, 0), MCR: (0, 8, 11, LOOP, LOOP | 3, LOOP | 12, LOOP | 15, 255),
        SCR: range(256), MSR: (0, 255), LSR: (0, 255),
    }  # fmt: skip
    if rng.random() < 0.6:
        return load(rng.choice((DATA, DATA, IER, IIR, IIR, LCR, MCR, LSR, LSR, MSR, SCR)))
    register = rng.choice(list(values))
    return store(register, rng.choice(list(values[register])))


@pytest.mark.skipif(shutil.which(QEMU) is None, reason="qemu-system-misc is not installed")
def test_any_steps_do_what_qemus_do(tmp_path):
    """From reset on, with as many loopback bytes as the FIFO holds, and more."""
    rng = random.Random(14)
    steps = [any_step(rng) for _ in range(4000)]
    steps += [store(MCR, LOOP), store(FCR, 1), *(store(DATA, n) for n in range(18)), load(LSR)]
    steps += [load(register) for _ in range(18) for register in (LSR, IIR, DATA)]
    (tmp_path / "uart.elf").write_bytes(program(steps))
    command = [QEMU, *FLAGS]
    command[command.index("none")] = tmp_path / "uart.elf"
    theirs = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )
    assert ours(steps) == theirs.stdout


def test_linux_finds_a_16550a():
    """As drivers/tty/serial/8250_port.c, autoconfig: loopback, then what FIFOs there are."""
    found = loaded(
        store(IER, 0), load(IER), store(IER, 0x0F), load(IER), store(IER, 0),
        store(MCR, LOOP | 0x0A), load(MSR), store(MCR, 0),
        store(FCR, 0), load(IIR), store(FCR, 1), load(IIR), store(FCR, 0),
    )  # fmt: skip
    assert (found[0], found[1]) == (0, 0x0F)
    assert found[2] & 0xF0 == 0x90
    assert [byte >> 6 for byte in found[3:]] == [0, 3]


def test_in_loopback_the_line_is_cut():
    """Input that waits is not lost, by resets of the FIFOs either."""
    steps = (
        store(MCR, LOOP), load(LSR), load(DATA), store(DATA, 0x41), load(DATA),
        store(FCR, 7), store(MCR, 0), load(LSR), load(DATA),
    )  # fmt: skip
    assert loaded(*steps, data=b"k") == [0x60, 0, 0x41, 0x61, ord("k")]
