"""Our commit log is Spike's, line by line, where M and S mean the same."""

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from tests.cprograms import PROGRAMS, Runtime, cross_compile, missing_compiler
from toyisa.machine import Machine
from toyisa.tables.extensions import FOR_EMULATORS
from vmm.watch.commitlog import CommitLog
from vmm.watch.stepping import Stepper

SPIKE = shutil.which("spike", path=str(Path(sys.executable).parent)) or shutil.which("spike")
ISA = f"--isa={FOR_EMULATORS}"
COUNT = 5_000
AFTER_ROM = 5  # instructions of Spike's boot ROM before the program's first

pytestmark = [
    pytest.mark.skipif(SPIKE is None, reason="spike is not installed: pip install spike"),
    pytest.mark.skipif(shutil.which("dtc") is None, reason="spike needs dtc, which is not there"),
    pytest.mark.skipif(missing_compiler() is not None, reason=str(missing_compiler())),
]

ATOMICS = """
_start: la      t1, word
        li      a0, 5
        amoadd.w a3, a0, (t1)
        amoswap.w zero, a0, (t1)
        amomax.w a3, a3, (t1)
        lr.w    a4, (t1)
        sc.w    a5, a0, (t1)
        sc.w    a5, a0, (t1)
        sb      a0, 1(t1)
        sh      a0, 2(t1)
        lbu     a1, 1(t1)
        lh      a1, 2(t1)
        lw      zero, 0(t1)
        csrw    sscratch, a0
        csrrs   a2, sscratch, a3
        csrr    a2, sscratch
        csrrci  a2, sscratch, 1
        div     a6, a0, zero
        fence
end:    j       end
        .data
word:   .word   77
"""


def spike_log(elf, count, tmp_path):
    """Spike's log of the program's first `count` instructions, the level taken away."""
    log = tmp_path / "spike.log"
    command = [SPIKE, ISA, "-m0x80000000:0x1000000", "--log-commits", f"--log={log}",
               f"--instructions={count + AFTER_ROM}", elf]  # fmt: skip
    subprocess.run(command, capture_output=True, check=False, timeout=120)
    return same(log.read_text().splitlines()[AFTER_ROM:])


def our_log(elf, count):
    machine = Machine()
    machine.load(elf)
    for n in range(32):
        machine.hart.x[n] = 0
    # The registers that Spike's boot ROM has set.
    machine.hart.x[5], machine.hart.x[11] = 0x8000_0000, 0x1020
    file = StringIO()
    Stepper(machine, [CommitLog(file)]).run(count)
    return same(file.getvalue().splitlines())


def same(lines):
    """Without the level, which is M on Spike and S here."""
    return [re.sub(r"^core   0: \d", "core   0:", line.rstrip()) for line in lines]


@pytest.mark.parametrize("program", PROGRAMS[:3], ids=lambda program: program.name)
def test_compiled_c(program, tmp_path):
    elf = cross_compile(program, Runtime.ANY, 1, tmp_path)
    ours, theirs = our_log(elf, COUNT), spike_log(elf, COUNT, tmp_path)
    count = min(len(ours), len(theirs))
    assert count > 1_000
    assert ours[:count] == theirs[:count]


def test_atomics_and_csrs(tmp_path):
    from asm import assemble_text

    elf = tmp_path / "atomics.elf"
    elf.write_bytes(assemble_text(ATOMICS).elf())
    ours, theirs = our_log(elf, 24), spike_log(elf, 24, tmp_path)
    assert len(ours) == 24
    assert ours == theirs[:24]
