"""`--expect`, `--fail-on-panic` and `--max-cycles` decide how a run ends."""

import json

import pytest

from vmm.cli.main import invoke
from vmm.cli.status import Status

END = " li a7, 8\n ecall\n"


def printing(text, end=END):
    """A kernel that prints `text` and ends."""
    return f"""
_start: la s0, text
next:   lbu a0, 0(s0)
        beqz a0, end
        li a7, 1
        ecall
        addi s0, s0, 1
        j next
end:{end}
text:   .asciz {json.dumps(text)}
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a source with options; the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").touch()

    def run(source, *options, command=("run",)):
        (tmp_path / "k.S").write_text(source)
        code = invoke([*command, "k.S", "--input", "none", *options])
        return code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("^ready$", Status.PASSED), ("b.ot", Status.PASSED), ("steady|^eady", Status.FAILED)],
)
def test_a_pattern_is_looked_for(run, pattern, code):
    status, out, err = run(printing("boot\nready\n"), "--expect", pattern)
    assert (status, out) == (code, "boot\nready\n")
    assert ("regular expression 'steady|^eady'" in err) == (code == Status.FAILED)


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("boot\nready\n", None),
        ("boot\nreadx\n", r"at line 2, column 5 it shows 'y\n', expected 'x\n'"),
        ("boot\nready\nmore", "at line 3, column 1 it shows its end, expected 'more'"),
        ("boot\n", r"at line 2, column 1 it shows 'ready\n', expected its end"),
        ("", r"at line 1, column 1 it shows 'boot\nready\n', expected its end"),
    ],
)
def test_a_file_is_compared(run, tmp_path, wanted, line):
    (tmp_path / "wanted.txt").write_text(wanted)
    status, _, err = run(printing("boot\nready\n"), "--expect", "wanted.txt")
    assert status == (Status.FAILED if line else Status.PASSED)
    assert f"the console is not as in wanted.txt: {line}" in err if line else "not as" not in err


def test_a_bad_pattern_is_refused(run):
    status, _, err = run(printing("x"), "--expect", "(")
    assert status == Status.USAGE
    assert "'(' is not a file, and not a regular expression" in err


def test_what_is_expected_of_a_guest_that_does_not_end(run):
    """If it is not met, the run fails; if it is met, a guest that was stopped still does not
    pass.
    """
    spin = printing("boot\n", " j .\n")
    status, _, err = run(spin, "--max-insns", "5000", "--expect", "ready")
    assert status == Status.FAILED
    assert "stopped after 5,000 instructions" in err
    assert "shows nothing that the regular expression 'ready' matches" in err
    assert run(spin, "--max-insns", "5000", "--expect", "boot")[0] == Status.LIMIT


def test_a_guest_that_fails_fails_whatever_is_expected(run):
    code = " li t0, 0x100000\n li t1, 0x33333\n sw t1, 0(t0)\n"
    assert run(printing("ok\n", code), "--expect", "ok")[0] == Status.FAILED


@pytest.mark.parametrize(
    "panic",
    [
        "[    1.234567] Kernel panic - not syncing: VFS\n",
        "Kernel panic - not syncing: Attempted to kill init!\r\n",
        "panic: kerneltrap\n",
        "panic: store page fault at pc 0x80000010\n",
        "panic: no end of line",
    ],
)
def test_a_panic_fails_the_run_and_ends_it(run, panic):
    text = f"booting\n{panic}"
    status, _, err = run(printing(text, " j .\n"), "--fail-on-panic", "--max-insns", "50e6")
    assert status == Status.FAILED
    assert f"the kernel panicked: {panic.strip()}" in err


@pytest.mark.parametrize("text", ["no panic: all is well\n", "panics: 0\n", "Kernel panic\n"])
def test_what_is_no_panic(run, text):
    assert run(printing(text), "--fail-on-panic")[0] == Status.PASSED


@pytest.mark.parametrize("command", [("run",), ("boot", "--engine", "trap")])
def test_cycles_end_a_run_where_they_are_used_up(run, command):
    """At the same instruction each time, and at most one instruction later."""
    told = [
        json.loads(run("_start: addi t0, t0, 1\n j _start\n", "--max-cycles", "12345", "--json",
                       command=command)[1])
        for _ in range(2)
    ]  # fmt: skip
    for result in told:
        assert (result["exit"], result["status"]) == ("cycles", Status.LIMIT)
        assert 12345 <= result["cycles"] < 12345 + (5 if command == ("run",) else 5000)
        assert result["diagnosis"]["goes_on"]
    assert told[0]["digest"] == told[1]["digest"]


def test_cycles_end_a_sleep(run):
    source = "_start: li t0, 32\n csrw sie, t0\n rdtime t0\n li t1, 100000\n add t0, t0, t1\n" \
        " csrw stimecmp, t0\n csrw stimecmph, zero\n wfi\n" + END  # fmt: skip
    status, _, err = run(source, "--max-cycles", "1000000")
    assert status == Status.LIMIT
    assert "stopped after 1,000,010 cycles (--max-cycles)" in err  # with the wfi's own
    assert run(source, "--max-cycles", "1000000000")[0] == Status.PASSED


def test_a_sleep_that_nothing_ends_is_no_matter_of_cycles(run):
    status, _, err = run("_start: wfi\n", "--max-cycles", "1000000")
    assert status == Status.LIMIT
    assert "the guest sleeps and nothing can wake it" in err
    assert "waits with interrupts off: `wfi` at _start (k.S:1), and sie is 0" in err


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ["native", "trap", "bt"])
def test_cycles_end_a_run_whose_time_is_instructions(run, engine):
    """Between the same two instructions each time, whether the host looks often or never."""
    source = """
_start: li t1, 0x10000000
1:      lbu t2, 5(t1)                       # a register of a device: dear, and seldom
        li t0, 5000
2:      addi t0, t0, -1
        mul t3, t0, t0
        bnez t0, 2b
        j 1b
"""
    ends = set()
    for limit in ("123450", "123451", "123450"):
        result = json.loads(
            run(source, "--max-cycles", limit, "--clock", "icount", "--json",
                command=("boot", "--engine", engine))[1]
        )  # fmt: skip
        assert (result["exit"], result["status"]) == ("cycles", Status.LIMIT)
        assert int(limit) <= result["cycles"] < int(limit) + 5000
        assert result["instret"] > (400 if engine == "native" else 50)
        assert result["diagnosis"]["goes_on"]
        ends.add((limit, result["cycles"], result["instret"]))
    assert len(ends) == 2


def test_a_limit_of_cycles_is_exact(run):
    """Plain instructions take one cycle each."""
    result = json.loads(
        run("_start: addi t0, t0, 1\n addi t0, t0, 1\n addi t0, t0, 1\n j _start\n",
            "--max-cycles", "12345", "--clock", "icount", "--json")[1]
    )  # fmt: skip
    assert 12345 <= result["cycles"] < 12345 + 5
    assert result["instret"] > 8000
