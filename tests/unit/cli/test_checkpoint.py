"""`run --save` and `--restore`: a run in two halves is the run in one."""

import pytest

from tests.unit.cli.command import toyvmm


def test_two_halves_print_what_one_run_prints(tmp_path):
    whole = toyvmm("run", "pages", "-q").stdout
    saving = ("--save", "s", "--at", 10_000, "--max-insns", 10_000)
    first = toyvmm("run", "pages", *saving, cwd=tmp_path)
    assert first.returncode == 3
    for target in ([], ["pages"]):
        second = toyvmm("run", *target, "--restore", "s", "-q", cwd=tmp_path)
        assert (second.returncode, first.stdout + second.stdout) == (0, whole)


@pytest.mark.compiled
def test_input_that_was_given_is_in_the_snapshot(tmp_path):
    whole = toyvmm("run", "toyix", "--demo", "-q").stdout
    first = toyvmm("run", "toyix", "--demo", "--max-insns", "20M", "--save", "s", cwd=tmp_path)
    second = toyvmm("run", "--restore", "s", "-q", cwd=tmp_path)
    assert first.stdout + second.stdout == whole


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--restore", "none"], "none: No such file"),
        (["--restore", "junk"], "junk: is not a snapshot"),
        (["--restore", "s", "--cost", "p4"], "s: was saved with the cost preset"),
        (["--restore", "s", "--mem", "2M"], "s: was saved with mem 16777216, not 2097152"),
        (["--restore", "s", "--profile", "leaky"], "s: was saved with profile"),
        (["--restore", "s", "--svade"], "s: was saved with svade False, not True"),
        (["pages", "--restore", "s"], "s: is not a snapshot of pages as it is now"),
        (["hello", "--save", "none/s"], "cannot write none/s: No such file"),
        (["hello", "--at", "5"], "--at needs --save"),
        ([], "Missing argument"),
    ],
)
def test_refused_in_one_line(tmp_path, arguments, reason):
    (tmp_path / "junk").write_bytes(b"junk")
    toyvmm("run", "hello", "--save", "s", "--at", 5, cwd=tmp_path)
    done = toyvmm("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr.decode()


def test_a_guest_that_ends_before(tmp_path):
    done = toyvmm("run", "hello", "--save", "s", "--at", "1e9", cwd=tmp_path)
    assert (done.returncode, b"cannot write s: the guest ended after" in done.stderr) == (2, True)
    assert not (tmp_path / "s").exists()
