"""What must start at once imports nothing heavy."""

import subprocess
import sys

import pytest

from tests.unit.cli.command import environment

HEAVY = {"numba", "numpy", "llvmlite", "elftools", "hypothesis", "rich"}
CHECK = """
import sys
from vmm.cli.main import invoke
status = invoke(sys.argv[1:])
print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
sys.exit(status)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["boot", "--help"], ["stat", "--help"],
     ["explain-leak", "--help"], ["examples"], ["asm", "a.S"], ["disasm", "a.elf"],
     ["run", "no-such-example"], ["boot", "no-such-example"], ["boot", "hello", "--engine", "no"]],
    ids=" ".join,
)  # fmt: skip
def test_nothing_heavy_is_imported(arguments, tmp_path):
    (tmp_path / "a.S").write_text("_start: ebreak\n")
    run(["asm", "a.S"], tmp_path)
    done = run(arguments, tmp_path)
    imported = set(done.stdout.split("IMPORTED", 1)[1].split())
    assert "click" in imported
    assert not imported & HEAVY


def run(arguments, folder):
    return subprocess.run(
        [sys.executable, "-P", "-c", CHECK, *arguments],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
