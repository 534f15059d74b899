"""Answers for what a guest does on QEMU's `virt` machine: a hart that we did not write.

Our shim (`tests/shim`) is its firmware.  Must not know what the guest should do.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.asm import gnu

QEMU = "qemu-system-riscv32"
SHIM = Path(__file__).parents[1] / "shim" / "shim.S"
SHIM_BASE = 0x86000000  # in QEMU's 128 MiB, above everything that a guest uses
FLAGS = ["-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "stdio"]
# Time counts instructions, 8 ns each, and does not pass in sleep: so timers do not come early on a
# busy host.
FLAGS += ["-icount", "shift=3,sleep=off"]

needed = pytest.mark.skipif(
    shutil.which(QEMU) is None or shutil.which(gnu.PREFIX + "as") is None,
    reason="qemu-system-misc or binutils-riscv64-unknown-elf is not installed",
)


def build_shim(where: Path) -> Path:
    """The shim's ELF, built in `where` by GNU binutils."""
    gnu.link(SHIM.read_text(), where, base=SHIM_BASE)
    return where / "in.elf"


def run(shim: Path, guest: Path, typed: Path | None, patience: float = 60) -> tuple[bytes, int]:
    """Console output and exit code of a guest's ELF on QEMU.

    `typed` is its console input.  After `patience` seconds the guest counts as hung.
    """
    loaders = [f"loader,file={shim},cpu-num=0", f"loader,file={guest}"]
    devices = [word for loader in loaders for word in ("-device", loader)]
    with open(typed or "/dev/null", "rb") as keys:
        done = subprocess.run(
            [QEMU, *FLAGS, *devices], stdin=keys, capture_output=True, timeout=patience, check=False
        )
    return done.stdout, done.returncode
