"""`toyvmm disasm` shows every word of the code, as objdump does."""

import re
import shutil
import subprocess

import pytest

from tests.unit.cli.command import toyvmm

OBJDUMP = "riscv64-unknown-elf-objdump"
SOURCE = """
    .globl _start
_start:
    la      a0, message
loop:
    lbu     a1, 0(a0)
    beqz    a1, done
    addi    a0, a0, 1
    j       loop
done:
    ebreak
    .word   0xffffffff
    .data
message:
    .asciz  "not code"
"""


@pytest.fixture
def elf(tmp_path):
    (tmp_path / "a.S").write_text(SOURCE)
    assert toyvmm("asm", "a.S", cwd=tmp_path).returncode == 0
    return tmp_path / "a.elf"


def words(text):
    """(address, word) of each line of code."""
    return re.findall(r"^ *([0-9a-f]+):\s+([0-9a-f]{8})\b", text, re.MULTILINE)


@pytest.mark.skipif(not shutil.which(OBJDUMP), reason="binutils for RISC-V are not installed")
def test_the_same_addresses_and_words_as_objdump(elf):
    theirs = subprocess.run([OBJDUMP, "-d", elf], capture_output=True, text=True, check=True)
    ours = toyvmm("disasm", elf).stdout.decode()
    assert words(ours) == words(theirs.stdout)
    assert len(words(ours)) == 8


def test_labels_head_their_code_and_targets_are_named(elf):
    text = toyvmm("disasm", elf).stdout.decode()
    assert "\n80000008 <loop>:\n" in text
    assert "beqz" in text
    assert "<done>" in text
    assert ".word    0xffffffff" in text
    assert "beqz" not in toyvmm("disasm", elf, "--no-aliases").stdout.decode()


def test_a_file_without_sections_is_shown_by_its_segments(elf):
    data = bytearray(elf.read_bytes())
    data[32:36] = bytes(4)  # e_shoff
    data[48:50] = bytes(2)  # e_shnum
    whole = words(toyvmm("disasm", elf).stdout.decode())
    elf.write_bytes(data)
    assert words(toyvmm("disasm", elf).stdout.decode())[:8] == whole


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lambda d: b"", "is empty"), (lambda d: b"text\n", "is not an ELF file"),
     (lambda d: d[:60], "truncated"), (lambda d: d[:-9], "truncated"),
     (lambda d: d[:4] + b"\2" + d[5:], "64-bit")],
    ids=["empty", "text", "headers cut", "end cut", "64-bit"],
)  # fmt: skip
def test_bad_files_are_refused(elf, change, reason):
    elf.write_bytes(change(elf.read_bytes()))
    done = toyvmm("disasm", elf)
    assert done.returncode == 2
    assert done.stdout == b""
    assert f"{elf}: " in done.stderr.decode()
    assert reason in done.stderr.decode()
