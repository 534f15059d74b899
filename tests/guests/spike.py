"""Answers for what a generated kernel does on Spike: its commit log, S and U only.

Must not know what the kernel should do.
"""

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import asm
from toyisa.core.memory import RAM_BASE
from toyisa.tables.extensions import FOR_EMULATORS
from toyisa.testing import Kernel, write_elf

SPIKE = shutil.which("spike", path=str(Path(sys.executable).parent)) or shutil.which("spike")
ISA = f"--isa={FOR_EMULATORS}_svadu"
SHIM = Path(__file__).parents[1] / "shim" / "spike.S"
SHIM_BASE = 0x80200000
TOHOST = 0x80201000
# Spike counts a trap as up to 5,000 instructions, the rest of the batch that the trap ends.
LIMIT = 5_000_000

needed = pytest.mark.skipif(SPIKE is None, reason="spike is not installed: pip install spike")


def image(kernel: Kernel) -> bytes:
    """An ELF with the kernel and the shim; it begins in the shim."""
    shim = asm.assemble(SHIM, base=SHIM_BASE)
    text = bytearray(next(s for s in shim.sections if s.name == ".text").data)
    text[4:8] = struct.pack("<I", kernel.entry)
    code = struct.pack(f"<{len(kernel.words)}I", *kernel.words)
    return write_elf({RAM_BASE: code, **kernel.data, SHIM_BASE: bytes(text), TOHOST: bytes(16)},
                     SHIM_BASE, {"tohost": TOHOST, "fromhost": TOHOST + 8})  # fmt: skip


def commit_log(kernel: Kernel, where: Path) -> list[str]:
    """A line for each retirement below M: see `comparable`."""
    elf, log = where / "kernel.elf", where / "spike.log"
    elf.write_bytes(image(kernel))
    subprocess.run(
        [SPIKE, ISA, "-m0x80000000:0x400000", "--log-commits", f"--log={log}",
         f"--instructions={LIMIT}", elf],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    return comparable(log.read_text().splitlines())


def comparable(lines: list[str]) -> list[str]:
    """The lines without those of M, and without CSR writes: a read shows what was written."""
    below = (line.rstrip() for line in lines if not line.startswith("core   0: 3"))
    return [re.sub(r" c\d+_\w+ 0x[0-9a-f]+", "", line) for line in below]
