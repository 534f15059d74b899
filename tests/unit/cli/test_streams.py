"""Standard streams that are closed, full or endless: a clear answer, and the right exit code."""

import os
import signal
import subprocess

import pytest

from tests.unit.cli.command import argv, environment, heed_ctrl_c, told, toyvmm
from vmm.cli.status import Status

NO_SPACE = b"toyvmm: cannot write to stdout: No space left on device\n"


def shell(words: str, cwd, **env: str) -> subprocess.CompletedProcess:
    """Run a line of the shell in which `toyvmm` is ours."""
    ours = " ".join(f"'{word}'" for word in argv())
    done = subprocess.run(
        ["/bin/sh", "-c", f"toyvmm() {{ {ours} \"$@\"; }}\n{words}"],
        cwd=cwd, env=environment(**env), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip
    done.stderr = told(done.stderr)
    return done


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.S").write_text("_start: ebreak\n")
    toyvmm("asm", "a.S", cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_the_guest_passes_whoever_listens(folder, closed):
    done = shell(f"toyvmm run hello {closed}", folder)
    assert done.returncode == Status.PASSED
    assert b"Traceback" not in done.stderr
    if ">&-" not in closed.replace("2>&-", ""):
        assert done.stdout == b"hello, world\n"


def test_no_file_takes_the_place_of_a_closed_stream(folder):
    shell("toyvmm asm a.S -o out.elf --listing out.lst <&- >&- 2>&-", folder)
    assert (folder / "out.elf").read_bytes() == (folder / "a.elf").read_bytes()


@pytest.mark.parametrize("command", ["run hello", "run hello --json", "examples", "disasm a.elf"])
def test_a_full_disk_is_told(folder, command):
    done = shell(f"toyvmm {command} >/dev/full", folder)
    assert done.returncode == Status.USAGE
    assert done.stderr.endswith(NO_SPACE)


@pytest.mark.parametrize("command", ["run hello --json", "examples", "disasm a.elf", "explain sie"])
def test_what_only_prints_says_so_if_it_cannot(folder, command):
    done = shell(f"toyvmm {command} >&-", folder)
    assert done.returncode == Status.USAGE
    assert done.stderr == b"toyvmm: cannot write to stdout: it is closed\n"


@pytest.mark.compiled
def test_ctrl_c_while_compiling(tmp_path):
    child = subprocess.Popen(
        argv("run", "hello"), env=environment(TOYVMM_CACHE_DIR=str(tmp_path)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=heed_ctrl_c,
    )  # fmt: skip
    assert b"compiling" in child.stderr.readline()
    os.killpg(child.pid, signal.SIGINT)
    assert child.communicate(timeout=60) == (b"", b"")
    assert child.returncode == Status.INTERRUPTED


@pytest.mark.parametrize("command", ["disasm a.elf", "examples"])
def test_a_reader_that_leaves_ends_the_command(folder, command):
    done = shell(f"{{ toyvmm {command}; echo $? >status; }} | head -c 1", folder)
    assert done.stderr == b""
    assert (folder / "status").read_text().strip() in {"0", str(int(Status.CLOSED))}


def test_files_without_end_are_refused(folder):
    for words in ("run /dev/zero", "run hello --input /dev/zero", "disasm /dev/zero"):
        done = shell(f"toyvmm {words}", folder)
        assert done.returncode == Status.USAGE
        assert b"/dev/zero: is a device; copy the part that you need to a file" in done.stderr


def test_a_name_that_is_no_text(folder):
    """File names are bytes: in errors, in JSON, and in the ELF's line table."""
    name = os.fsdecode(b"b\xff.S")
    (folder / name).write_text((folder / "a.S").read_text())
    done = toyvmm("asm", name, "--listing", "out.lst", cwd=folder)
    assert done.returncode == Status.PASSED
    assert b"b\xff.S\0" in (folder / os.fsdecode(b"b\xff.elf")).read_bytes()
    done = toyvmm("run", name, "--json", cwd=folder)
    assert done.returncode == Status.FAILED


def test_a_folder_that_is_gone(folder):
    done = shell("mkdir d && cd d && rmdir ../d && toyvmm run hello && ! toyvmm asm a.S", folder)
    assert done.returncode == 0, done.stderr
    assert b"a.S: error: no such file" in done.stderr


def test_a_home_that_cannot_be_written(folder):
    done = shell("toyvmm doctor", folder, HOME="/dev/null", XDG_CACHE_HOME="", TOYVMM_CACHE_DIR="")
    assert b"Traceback" not in done.stderr
