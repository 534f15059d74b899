"""The how-to on testing your own emulator works as it is written."""

import os
import re
import subprocess
import sys

import pytest

from tests.docsamples import files
from tests.unit.cli.command import ROOT

PAGE = ROOT / "docs" / "howto" / "test-your-emulator.md"
FAULT, MENDED = "rs1 >> (rs2 & 31)", "SIGNED(rs1) >> (rs2 & 31)"


def run(folder, mine: str, test: str) -> subprocess.CompletedProcess:
    (folder / "mine.py").write_text(mine, encoding="utf-8")
    (folder / "test_mine.py").write_text(test, encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(folder)])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.compiled
def test_the_howto_finds_the_fault_and_nothing_else(tmp_path):
    found = files(PAGE.read_text(encoding="utf-8"))
    faulty = run(tmp_path, found["mine.py"], found["test_mine.py"])
    assert faulty.returncode == 1, faulty.stdout
    assert "a and b differ" in faulty.stdout
    assert re.search(r"here      [0-9a-f]{8}: [0-9a-f]{8}  sra ", faulty.stdout)
    assert found["mine.py"].count(FAULT) == 1
    mended = run(tmp_path, found["mine.py"].replace(FAULT, MENDED), found["test_mine.py"])
    assert "1 passed" in mended.stdout, mended.stdout
