"""GNU binutils as an oracle: the same source through `as`, `ld` and `objcopy`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from toyisa.tables.extensions import FOR_ASSEMBLERS, MARCH

PREFIX = "riscv64-unknown-elf-"
FLAGS = [f"-march={MARCH}_zihintpause", "-mabi=ilp32", "-mno-relax"]

# Sections lie where our layout puts them, so that linked bytes can be compared.
SCRIPT = """
OUTPUT_ARCH(riscv) ENTRY(_start)
SECTIONS {
  . = %s;
  .text : { *(.text) }
  . = ALIGN(16); .rodata : { *(.rodata) }
  . = ALIGN(16); .data : { *(.data) }
  . = ALIGN(16); .bss : { *(.bss) *(COMMON) }
  /DISCARD/ : { *(.eh_frame) }
}
"""

needed = pytest.mark.skipif(
    shutil.which(PREFIX + "as") is None, reason="binutils-riscv64-unknown-elf is not installed"
)


def run(tool: str, *arguments: object) -> str:
    """Run a tool of binutils; its output.  Fails on an error or a warning."""
    done = subprocess.run(
        [PREFIX + tool, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


EVERY_ROW = [f"-march={FOR_ASSEMBLERS}"]  # with extensions that we have a part of


def link(source: str, where: Path, base: int = 0x8000_0000, flags=()) -> dict[str, bytes]:
    """Section name -> bytes of the program that GNU `as` and `ld` make of a source."""
    (where / "in.s").write_text(source + "\n")
    (where / "script").write_text(SCRIPT % hex(base))
    run("as", *FLAGS, *flags, where / "in.s", "-o", where / "in.o")
    linked = where / "in.elf"
    run(
        "ld",
        "-m",
        "elf32lriscv",
        "--no-relax",
        "--no-warn-rwx-segments",
        "-T",
        where / "script",
        where / "in.o",
        "-o",
        linked,
    )
    return sections(linked, where)


def sections(elf: Path, where: Path) -> dict[str, bytes]:
    """The contents of .text, .rodata and .data of an ELF file."""
    found = {}
    for name in (".text", ".rodata", ".data"):
        out = where / "section"
        out.unlink(missing_ok=True)
        run("objcopy", "-O", "binary", "-j", name, elf, out)
        found[name] = out.read_bytes() if out.exists() else b""
    return found


def disassembled(elf: Path, *options: str) -> dict[int, tuple[int, str]]:
    """Address -> (word, text) as objdump shows them, comments and symbols dropped."""
    found = {}
    for line in run("objdump", "-d", *options, elf).splitlines():
        match = re.match(r"\s*([0-9a-f]+):\s+([0-9a-f]{8})\s+(.*)", line)
        if match:
            text = re.sub(r"\s*[<#].*", "", match[3]).replace("\t", " ").strip()
            found[int(match[1], 16)] = (int(match[2], 16), text)
    return found
