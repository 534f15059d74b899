"""The environment for other people's tests: GNU as, our macros, tohost, signature."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.command import toyvmm
from toyisa.load.elf import Elf
from toyisa.machine import Exit, Machine
from toyisa.tables.extensions import EF_RISCV_RVC, MARCH
from vmm.watch.signature import NoSignature, signature

HERE = Path(__file__).parent
AS, LD = "riscv64-unknown-elf-as", "riscv64-unknown-elf-ld"
CPP = shutil.which("cpp")
pytestmark = pytest.mark.skipif(
    not (CPP and shutil.which(AS) and shutil.which(LD)),
    reason=f"cpp, {AS} or {LD} is not installed",
)
RESULTS = (0, 2, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFE, 0xFFFF_FFFF, 0)

# As in riscv-arch-test's arch_test.h: the code is aligned like compressed code, so the file claims
# to have some.
ARCH = """
#include "model_test.h"
        .section .text.init
        .globl rvtest_entry_point
rvtest_entry_point:
        RVMODEL_BOOT
        .option push
        .option rvc
        .align 5
        .option norvc
        .option pop
        la      s0, begin_signature
        li      t0, 0x1234
        sw      t0, 0(s0)
        {body}
        RVMODEL_HALT
        .data
RVMODEL_DATA_BEGIN
        .fill 4, 4, 0
RVMODEL_DATA_END
"""

# As in its later riscv_arch_test.h: the model's code in a section of its own, which ends the test.
ACT4 = """
#include "rvmodel_macros.h"
        .section .text.init
        .globl rvtest_entry_point
rvtest_entry_point:
        la      ra, rvmodel_boot
        jalr    ra
        .section .text.rvtest
rvtest_code_begin:
        la      a0, text
        call    rvmodel_io_write_str
        j       {end}
        .data
text:   .asciz  "RVCP-SUMMARY\\n"
        RVMODEL_DATA_SECTION
        .section .text.rvmodel, "ax", @progbits
rvmodel_boot:
        RVMODEL_BOOT
        RVMODEL_BOOT_TO_MMODE
        RVMODEL_IO_INIT(x6, x7, x8)
        la      x6, rvtest_code_begin
        jr      x6
rvmodel_io_write_str:
        RVMODEL_IO_WRITE_STR(x6, x7, x8, a0)
        ret
pass:   RVMODEL_HALT_PASS
fail:   RVMODEL_HALT_FAIL
"""

# As riscv-tests' macros and tests of S: XLEN is the compiler's name, handlers are the test's own.
OWN_HANDLER = """
#include "riscv_test.h"
#define MASK_XLEN(x) ((x) & ((1 << (__riscv_xlen - 1) << 1) - 1))
#undef RVTEST_RV64S
#define RVTEST_RV64S RVTEST_RV32S
RVTEST_RV64S
RVTEST_CODE_BEGIN
        li      TESTNUM, 2
        li      s0, MASK_XLEN(-1)
        addi    s0, s0, 1
        bnez    s0, fail
        li      s1, 0
        la      t0, 1f
        jalr    s1, t0, 2               # traps: there is no compressed code
1:      .option rvc
        c.j     fail
        c.j     2f
        .option norvc
        j       fail
2:      li      TESTNUM, 3
        li      t0, 0x100
        csrc    sstatus, t0
        la      t0, 3f
        csrw    sepc, t0
        sret
3:      ecall                           # from U
fail:   RVTEST_FAIL
        .align 2
stvec_handler:
        csrr    t0, scause
        li      t1, 8
        beq     t0, t1, pass
        bnez    t0, fail
        csrr    t0, sepc
        addi    t0, t0, 12
        csrw    sepc, t0
        sret
pass:   RVTEST_PASS
RVTEST_CODE_END
        .data
RVTEST_DATA_BEGIN
RVTEST_DATA_END
"""


@pytest.fixture
def built(tmp_path):
    """Build a test as docs/howto/conformance.md says; its ELF."""

    def build(source, *defines):
        done = subprocess.run(
            [CPP, "-P", "-D__riscv_xlen=32", *defines, f"-I{HERE / 'env'}", source,
             tmp_path / "t.s"],
            capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        march = (f"-march={MARCH}", "-mabi=ilp32")
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
    (tmp_path / "arch.S").write_text(ARCH.format(body=""))
    elf = built(tmp_path / "arch.S")
    assert Elf(elf.read_bytes()).header().flags & EF_RISCV_RVC, "as the suite's tests are flagged"
    machine = run(elf)
    assert machine.code == 0
    assert words(signature(machine)) == [0x1234, 0, 0, 0]


def test_an_unexpected_trap_ends_an_arch_test(built, tmp_path):
    (tmp_path / "arch.S").write_text(ARCH.format(body="csrr a0, mstatus"))
    assert run(built(tmp_path / "arch.S")).code == 1337 >> 1


@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("fail", 1)])
def test_act4_style(built, tmp_path, end, code):
    (tmp_path / "act.S").write_text(ACT4.format(end=end))
    machine = run(built(tmp_path / "act.S"))
    assert machine.code == code
    assert machine.output() == b"RVCP-SUMMARY\n"


def test_act4_reference_build_begins_where_the_test_does(built, tmp_path):
    """It has the reference's boot code and no name of ours: the linker must find its entry."""
    theirs = '#include "rvmodel_macros.h"\n#undef RVMODEL_BOOT\n#define RVMODEL_BOOT'
    source = ACT4.format(end="pass").replace('#include "rvmodel_macros.h"', theirs)
    (tmp_path / "act.S").write_text(source)
    elf = Elf(built(tmp_path / "act.S").read_bytes())
    assert elf.header().entry == 0x8000_0000


def test_a_test_of_s_has_its_own_handler(built, tmp_path):
    (tmp_path / "own.S").write_text(OWN_HANDLER)
    assert run(built(tmp_path / "own.S")).code == 0


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
