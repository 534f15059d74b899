"""Where compiled code is kept: shown, safe from strangers, deleted without harm."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.unit.cli.command import argv, environment, toyvmm
from toyisa.compiled import manifest
from vmm.cli.status import Status

NOBODY = "65534"


def kept(cache, name="0" * 16):
    """A version's code, as it is kept."""
    folder = cache / "jit" / name / "toyisa_0"
    folder.mkdir(parents=True)
    (folder / "code.nbc").write_bytes(bytes(2_000_000))
    manifest.write(folder.parent, ["a unit"])


def test_it_is_shown_and_cleared(tmp_path):
    cache = tmp_path / "cache"
    kept(cache)
    mine = [cache / "mine", cache / "jit" / ("0" * 16) / "mine", cache / "jit" / "mine.nbc"]
    for path in mine:
        path.touch()
    env = {"TOYVMM_CACHE_DIR": str(cache)}
    assert toyvmm("cache", "path", **env).stdout.decode() == f"{cache}\n"
    shown = toyvmm("cache", **env).stdout.decode()
    assert f"compiled code: {cache} (TOYVMM_CACHE_DIR chooses another)" in shown
    assert "all versions: 1, 2.0 MB" in shown
    found = json.loads(toyvmm("cache", "--json", **env).stdout)
    assert (found["path"], found["kind"], found["total_bytes"]) == (str(cache), "usual", 2_000_000)
    assert (found["programs"], found["program_bytes"]) == (0, 0)
    assert toyvmm("cache", "clear", **env).stdout.startswith(b"deleted 2.0 MB of compiled code")
    assert all(path.exists() for path in mine)
    assert list(cache.rglob("*.nbc")) == [cache / "jit" / "mine.nbc"]


def test_assembled_guests_are_shown_and_cleared(tmp_path):
    env = {"TOYVMM_CACHE_DIR": str(tmp_path)}
    find = "from vmm.cli.target import find; find('hello'); find('hello')"
    subprocess.run([sys.executable, "-c", find], env=environment(**env), check=True)
    (program,) = (tmp_path / "programs").iterdir()
    size = program.stat().st_size
    found = json.loads(toyvmm("cache", "--json", **env).stdout)
    assert (found["programs"], found["program_bytes"]) == (1, size)
    assert json.loads(toyvmm("cache", "clear", "--json", **env).stdout)["deleted"] == size
    assert not program.exists()


def test_home_as_the_cache_is_harmless(tmp_path):
    (tmp_path / "jit" / "precious").mkdir(parents=True)
    (tmp_path / "jit" / "precious" / "thesis.tex").touch()
    toyvmm("cache", "clear", TOYVMM_CACHE_DIR=str(tmp_path))
    assert (tmp_path / "jit" / "precious" / "thesis.tex").exists()


def test_it_needs_no_compiler():
    code = "import sys; from vmm.cli.main import invoke; invoke(['cache']); print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True,
                          check=True)  # fmt: skip
    assert b"'numba'" not in done.stdout


@pytest.fixture
def shared():
    """A folder that anybody may write to, like /tmp."""
    folder = Path(tempfile.mkdtemp(prefix="toyvmm-test-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def stranger(shared, *arguments, **env):
    """Run the command as a user who has no home, and whose temporary folder is `shared`."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    env = {"HOME": "/nonexistent", "TMPDIR": str(shared), "XDG_CACHE_HOME": "",
           "TOYVMM_CACHE_DIR": ""} | env  # fmt: skip
    return subprocess.run([*words, *argv(*arguments)], env=environment(**env), cwd="/",
                          capture_output=True, check=False, text=True)  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"),
                    reason="only root can be another user")  # fmt: skip
class TestAsAStranger:
    def test_code_is_kept_in_a_folder_of_ones_own(self, shared):
        done = stranger(shared, "cache", "path")
        if "No module named" in done.stderr:
            pytest.skip("others may not read this checkout")
        assert done.stdout == f"{shared}/toyvmm-{NOBODY}\n"
        assert "cannot keep compiled code in /nonexistent/.cache/toyvmm" in done.stderr
        assert "set TOYVMM_CACHE_DIR" in done.stderr

    def test_not_if_somebody_else_made_it(self, shared):
        (shared / f"toyvmm-{NOBODY}").mkdir()
        (shared / f"toyvmm-{NOBODY}").chmod(0o777)
        done = stranger(shared, "cache", "--json")
        if "No module named" in done.stderr:
            pytest.skip("others may not read this checkout")
        assert json.loads(done.stdout)["kind"] == "temporary"
        assert list((shared / f"toyvmm-{NOBODY}").iterdir()) == []

    def test_not_behind_anothers_link(self, shared):
        """Root does not follow a link that a user has put where the code should be."""
        (shared / "theirs").mkdir()
        (shared / "link").symlink_to("theirs")
        for name in ("theirs", "link"):
            os.chown(shared / name, int(NOBODY), int(NOBODY), follow_symlinks=False)
        done = toyvmm("cache", "path", TOYVMM_CACHE_DIR=str(shared / "link"))
        assert b"is a link that the user nobody has made" in done.stderr
        assert list((shared / "theirs").iterdir()) == []
        assert done.returncode == Status.PASSED
