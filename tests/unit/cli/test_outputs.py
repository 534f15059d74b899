"""What a command writes is complete at its end; a command that fails leaves nothing."""

import json
import os
import threading

import pytest

from asm.assembler import assemble_text
from tests.unit.cli.command import toyvmm
from vmm.cli.status import Status

PASSES = "_start: li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)\n"
FAILS = "_start: ecall\n li t0, 0x100000\n li t1, 0x13333\n sw t1, 0(t0)\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "passes.elf").write_bytes(assemble_text(PASSES).elf())
    (tmp_path / "fails.elf").write_bytes(assemble_text(FAILS).elf())
    (tmp_path / "old").write_bytes(b"old")
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_all_outputs_of_a_run(folder):
    before = names(folder)
    done = toyvmm("run", "fails.elf", "--json-file", "json", "--log", "log", "--trace", "trap",
                  "--trace-file", "trace", "--save", "snapshot", cwd=folder)  # fmt: skip
    assert done.returncode == Status.FAILED
    assert names(folder) == sorted([*before, "json", "log", "trace", "snapshot"])
    assert json.loads((folder / "json").read_bytes())["code"] == 1
    assert all((folder / name).stat().st_size for name in ("log", "snapshot"))


def test_a_command_that_fails_leaves_none(folder):
    """A snapshot that is not due before the end; a signature of a guest that has none."""
    before = names(folder)
    for options, reason in (
        (("--save", "old", "--at", "1000"), b"cannot write old: the guest ended after 4 instruct"),
        (("--signature", "new"), b"--signature: the guest has no symbol begin_signature"),
    ):
        done = toyvmm("run", "passes.elf", *options, "--json-file", "json", "--log", "log",
                      cwd=folder)  # fmt: skip
        assert done.returncode == Status.USAGE
        assert reason in done.stderr
        assert names(folder) == before
    assert (folder / "old").read_bytes() == b"old"


@pytest.mark.parametrize(
    "options",
    [("--trace-file", "new"), ("--log-from", "5"), ("--log-until", "5"),
     ("--trace-file", "new", "--log", "log")],
)  # fmt: skip
def test_where_to_watch_without_what(folder, options):
    """It would be ignored, and the user would wait for a file that never comes."""
    before = names(folder)
    done = toyvmm("run", "passes.elf", *options, cwd=folder)
    assert done.returncode == Status.USAGE
    assert f"{options[0]} says".encode() in done.stderr
    assert b"with --trace" in done.stderr
    assert names(folder) == before


def test_json_to_stdout_by_its_name(folder):
    done = toyvmm("run", "passes.elf", "-q", "--json-file", "/dev/stdout", cwd=folder)
    assert json.loads(done.stdout)["status"] == 0
    assert names(folder) == ["fails.elf", "old", "passes.elf"]


def test_a_guest_from_a_fifo(folder):
    os.mkfifo(folder / "fifo")
    writer = threading.Thread(
        target=lambda: (folder / "fifo").write_bytes((folder / "passes.elf").read_bytes()))
    waits = threading.Timer(2, writer.start)
    waits.start()
    done = toyvmm("run", "fifo", cwd=folder)
    assert done.returncode == Status.PASSED, done.stderr
    assert b"waiting for data from fifo ..." in done.stderr
    writer.join()


def test_virtual_machines_write_as_bare_ones(folder):
    before = names(folder)
    done = toyvmm("boot", "passes.elf", "--engine", "trap", "--timeline", "timeline",
                  "--json-file", "old", cwd=folder)  # fmt: skip
    assert done.returncode == Status.PASSED
    assert names(folder) == sorted([*before, "timeline"])
    assert json.loads((folder / "timeline").read_bytes())
    assert json.loads((folder / "old").read_bytes())["schema"] == "toyvmm.boot/1"
