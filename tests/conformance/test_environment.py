"""The environment for other people's tests: GNU as, our macros, tohost, signature."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.command import toyvmm
from toyisa.machine import Exit, Machine
from vmm.signature import NoSignature, signature

HERE = Path(__file__).parent
AS, LD = "riscv64-unknown-elf-as", "riscv64-unknown-elf-ld"
CPP = shutil.which("cpp")
pytestmark = pytest.mark.skipif(
    not (CPP and shutil.which(AS) and shutil.which(LD)),
    reason=f"cpp, {AS} or {LD} is not installed",
)
RESULTS = (0, 2, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFE, 0xFFFF_FFFF, 0)

ARCH = """
#include "riscv_test.h"
        .section .text.init
        .globl _start
_start: RVMODEL_BOOT
        la      s0, begin_signature
        li      t0, 0x1234
        sw      t0, 0(s0)
        RVMODEL_HALT
        .data
RVMODEL_DATA_BEGIN
        .fill 4, 4, 0
RVMODEL_DATA_END
"""


@pytest.fixture
def built(tmp_path):
    """Build a test as docs/howto/conformance.md says; its ELF."""

    def build(source, *defines):
        done = subprocess.run(
            [CPP, "-P", *defines, f"-I{HERE / 'env'}", source, tmp_path / "t.s"],
            capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        march = ("-march=rv32ima_zicsr_zifencei", "-mabi=ilp32")
        subprocess.run([AS, *march, tmp_path / "t.s", "-o", tmp_path / "t.o"], check=True)
        script = HERE / "env" / "link.ld"
        subprocess.run([LD, "-m", "elf32lriscv", "-T", script, tmp_path / "t.o", "-o",
                        tmp_path / "t.elf"], check=True)  # fmt: skip
        return tmp_path / "t.elf"

    return build


def run(elf):
    machine = Machine()
    machine.load(elf)
    assert machine.run(100_000) is Exit.HALTED
    assert machine.how == "tohost"
    return machine


def words(text):
    return [int(line, 16) for line in text.splitlines()]


def test_a_test_that_passes(built):
    machine = run(built(HERE / "add.S"))
    assert machine.code == 0
    assert int(machine.hart.priv) == 0, "RV32U runs in U"
    assert tuple(words(signature(machine))[: len(RESULTS)]) == RESULTS


def test_the_first_case_that_fails_is_the_exit_code(built):
    assert run(built(HERE / "add.S", "-DWRONG")).code == 6


def test_arch_test_style(built, tmp_path):
    (tmp_path / "arch.S").write_text(ARCH)
    machine = run(built(tmp_path / "arch.S"))
    assert machine.code == 0
    assert words(signature(machine)) == [0x1234, 0, 0, 0]


def test_the_command_writes_the_signature(built, tmp_path):
    done = toyvmm("run", built(HERE / "add.S"), "--signature", "sig", cwd=tmp_path)
    assert done.returncode == 0
    lines = (tmp_path / "sig").read_text().splitlines()
    assert lines[:3] == ["00000000", "00000002", "80000000"]
    assert {len(line) for line in lines} == {8}


def test_no_signature(tmp_path):
    done = toyvmm("run", "hello", "--signature", "sig", cwd=tmp_path)
    assert done.returncode == 2
    assert b"no symbol begin_signature" in done.stderr
    with pytest.raises(NoSignature, match="end_signature"):
        signature(Machine(mem=1 << 20))
