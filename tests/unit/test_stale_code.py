"""An edit of the machine itself takes effect in the next run: no compiled code is stale."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import toyisa

ROOT = Path(toyisa.__file__).parents[1]
RIGHT = "return (a - b) & MASK"
WRONG = "return (a - b - 1) & MASK"
GUEST = """
_start:
    li      a1, 7
    li      a2, 2
    sub     a1, a1, a2      # what this gives is the guest's exit code
    slli    a1, a1, 16
    li      t0, 0x3333
    or      t0, t0, a1
    li      t1, 0x100000
    sw      t0, 0(t1)
"""


@pytest.mark.slow
def test_an_edited_callee_of_the_real_machine(tmp_path):
    """`alu.sub` is part of the interpreter's loop, which is in another file."""
    for part in ("toyisa", "vmm", "asm", "guests"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "guest.S").write_text(GUEST)
    assert "failed with code 5 " in run(tmp_path)
    assert "compil" not in run(tmp_path), "nothing changed"
    alu = tmp_path / "toyisa" / "core" / "alu.py"
    was, text = alu.stat(), alu.read_text()
    assert text.count(RIGHT) == 1
    alu.write_text(text.replace(RIGHT, WRONG))
    os.utime(alu, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert "failed with code 4 " in run(tmp_path)
    alu.write_text(text)
    last = run(tmp_path)
    assert "failed with code 5 " in last
    assert "compil" not in last, "the code of the sources before is still there"


def run(folder: Path) -> str:
    """What running the guest with the package in `folder` prints on stderr."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "TOYVMM_"))}
    env |= {"PYTHONPATH": str(folder), "TOYVMM_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vmm.cli", "run", "guest.S"],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr
