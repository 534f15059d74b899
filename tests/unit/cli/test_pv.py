"""The commands build a guest for the engine that will run it, or refuse it in a line."""

import pytest

from tests.unit.cli.command import toyvmm


def test_boot_builds_the_patched_guest(tmp_path):
    done = toyvmm("boot", "hello", "--engine", "pv", "--profile", "leaky", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"hello, world\n"), done.stderr


def test_stat_counts_hypercalls(tmp_path):
    done = toyvmm("stat", "hello", "--engine", "pv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"hypercall" in done.stdout


@pytest.mark.parametrize("command", ["boot", "stat"])
def test_an_elf_that_is_not_patched_is_refused(command, tmp_path):
    (tmp_path / "plain.S").write_text("    .globl _start\n_start: j _start\n")
    assert toyvmm("asm", "plain.S", cwd=tmp_path).returncode == 0
    done = toyvmm(command, "plain.elf", "--engine", "pv", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert b"not patched for `pv`" in line
    assert b"-D PV=1" in line


def test_there_is_no_leak_to_explain(tmp_path):
    done = toyvmm("explain-leak", "hello", "--engine", "pv", cwd=tmp_path)
    assert done.returncode == 2
    assert b"another program" in done.stderr
