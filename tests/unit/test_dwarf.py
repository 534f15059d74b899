"""Source lines come from debugging sections of every version; damaged ones give none."""

import shutil
import subprocess

import pytest

from asm.assembler import assemble
from toyisa.load.dwarf import Lines

SOURCE = """        .globl _start
_start: li      t0, 5
        li      t1, 0x12345
        .data
        .word   1
        .text
        j       .
"""
EXPECTED = {0x8000_0000: 2, 0x8000_0004: 3, 0x8000_0008: 3, 0x8000_000C: 7}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("dwarf") / "guest.S"
    path.write_text(SOURCE)
    return path


def lines(data):
    found = Lines(data)
    return {address: found.at(address) for address in EXPECTED}, found


def test_our_own(source):
    got, found = lines(assemble(source).elf())
    assert got == {address: (str(source), line) for address, line in EXPECTED.items()}
    assert found.at(0x7FFF_FFFC) is None
    assert found.at(0x8000_0010) is None


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_gnu(source, tmp_path, version):
    if not shutil.which("riscv64-unknown-elf-as"):
        pytest.skip("no riscv64-unknown-elf-as")
    tool = "riscv64-unknown-elf-"
    subprocess.run([f"{tool}as", "-march=rv32ima", "-mabi=ilp32", f"-gdwarf-{version}", "guest.S",
                    "-o", tmp_path / "o"], cwd=source.parent, check=True)  # fmt: skip
    subprocess.run([f"{tool}ld", "-melf32lriscv", "-Ttext=0x80000000", tmp_path / "o", "-o",
                    tmp_path / "elf"], check=True)  # fmt: skip
    got, _ = lines((tmp_path / "elf").read_bytes())
    assert {address: place[1] for address, place in got.items()} == EXPECTED
    assert all(place[0].endswith("guest.S") for place in got.values())


def test_damaged_files_have_fewer_lines_and_no_more(source):
    whole = assemble(source).elf()
    for at in range(0, len(whole), 3):
        lines(whole[:at])
        lines(whole[:at] + b"\xff" + whole[at + 1 :])
