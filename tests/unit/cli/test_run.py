"""`toyvmm run` on the real machine: console, exit codes, JSON, input, refusals."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import pytest

import guests
from tests.unit.cli.command import argv, environment, told
from vmm.cli.main import invoke
from vmm.cli.report import SCHEMA, Transcript
from vmm.cli.status import Status

FINISH = "li t0, 0x100000\n li t1, {}\n sw t1, 0(t0)\n"
SPIN = "_start: j _start\n"
SLEEP = "_start: csrw sie, zero\n wfi\n j _start\n"
LOST = "_start: csrw stvec, zero\n lw a0, 0(zero)\n"
FAILING = "_start: " + FINISH.format("0x3333 | 7 << 16")
# Echoes what is typed, and passes at Ctrl-D.
ECHO = """
_start:
    li      a7, 2           # SBI: console getchar
    ecall
    bltz    a0, _start
    li      t0, 4
    beq     a0, t0, end
    li      a7, 1           # SBI: console putchar
    ecall
    j       _start
end:
    li      a7, 8           # SBI: shutdown
    ecall
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Write a guest to `guest.S` in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "guest.S").write_text


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """Make a file's bytes the command's stdin."""

    def pipe(data):
        (tmp_path / "stdin").write_bytes(data)
        descriptor = os.open(tmp_path / "stdin", os.O_RDONLY)
        stdin = SimpleNamespace(fileno=lambda: descriptor, isatty=lambda: False, closed=False)
        monkeypatch.setattr(sys, "stdin", stdin)

    pipe(b"")
    return pipe


def test_an_example_prints_to_stdout_and_is_summed_up_on_stderr(capfd, typed):
    assert invoke(["run", "hello"]) == Status.PASSED
    out, err = capfd.readouterr()
    assert out == guests.catalogue()["hello"].golden.read_text()
    assert "toyvmm: hello: passed; " in err


def test_quiet_is_quiet(capfd, typed):
    assert invoke(["run", "-q", "hello"]) == Status.PASSED
    assert told(capfd.readouterr().err.encode()) == b""


@pytest.mark.parametrize(
    ("guest", "options", "status", "word", "code", "reason"),
    [
        (FAILING, [], Status.FAILED, "halted", 7, "failed with code 7 (by finisher)"),
        (LOST, [], Status.FAILED, "fatal", None, "the guest cannot go on: "),
        (SLEEP, [], Status.LIMIT, "idle", None, "sleeps and nothing can wake it"),
        (SPIN, ["--max-insns", "1000"], Status.LIMIT, "budget", None,
         "1,000 instructions; --max-insns N allows more"),
        pytest.param(
            SPIN, ["--timeout", "0.01"], Status.LIMIT, "timeout", None,
            "stopped after 0.01 s; --timeout N allows more",
            marks=pytest.mark.compiled,
        ),
    ],
    ids=["fails", "lost", "sleeps", "max-insns", "timeout"],
)
def test_guests_that_do_not_pass(
    source, capfd, typed, guest, options, status, word, code, reason
):
    source(guest)
    assert invoke(["run", "guest.S", "--json", *options]) == status
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert (result["exit"], result["code"], result["status"]) == (word, code, status)
    assert reason in result["reason"]
    assert reason in err


NEEDS_M = "_start: csrw 0x300, zero\n"
HALF = """_start: la t0, handler
 csrw stvec, t0
 nop
.word 0x02A57553
 .align 2
handler: """ + FINISH.format("0x3333 | 1 << 16")


@pytest.mark.parametrize(
    ("guest", "hint"),
    [
        (NEEDS_M, "illegal instruction 0x30001073 at _start (guest.S:1): `mstatus` is an M-mode"),
        (HALF, "illegal instruction 0x02a57553 at _start+0x10 (guest.S:4): it is a floating-point"),
        (LOST, "63 instruction access faults at 0x0: stvec is 0: no trap handler was set"),
        (FAILING, None),
    ],
    ids=["M mode", "its handler gave up", "lost", "fails"],
)
def test_a_guest_that_needs_what_we_lack_is_told_by_name(source, capfd, typed, guest, hint):
    source(guest)
    assert invoke(["run", "guest.S"]) == Status.FAILED
    err = capfd.readouterr().err
    assert f"hint: {hint}" in err if hint else "hint" not in err


def test_the_console_in_the_json_is_bounded(source, capfd, typed, monkeypatch):
    monkeypatch.setattr(Transcript, "KEPT", 100)
    source("_start: li a7, 1\n li a0, 'x'\nnext: ecall\n li a0, 'x'\n j next\n")
    assert invoke(["run", "guest.S", "--json", "--max-insns", "10000"]) == Status.LIMIT
    result = json.loads(capfd.readouterr().out)
    assert (result["console"], result["console_truncated"]) == ("x" * 100, True)


def test_the_json_of_a_run(capfd, typed, tmp_path):
    arguments = ["run", "hello", "--json", "--cost", "modern", "--mem", "2M"]
    results = []
    for _ in range(2):
        assert invoke(arguments) == Status.PASSED
        results.append(json.loads(capfd.readouterr().out))
    result = results[0]
    assert result["schema"] == SCHEMA
    assert result["console"] == guests.catalogue()["hello"].golden.read_text()
    assert result["console_truncated"] is False
    assert (result["guest"], result["exit"], result["code"]) == ("hello", "halted", 0)
    assert sum(result["cycles_by_class"].values()) == result["cycles"]
    assert result["traps_by_cause"]["ecall_s"] > 0
    assert (result["cost"], result["mem"], result["profile"]) == ("modern", 2 << 20, "strict")
    for each in results:
        del each["seconds"]
    assert results[0] == results[1]


def test_the_json_in_a_file_leaves_the_console_alone(capfd, typed, tmp_path):
    assert invoke(["run", "hello", "--json-file", str(tmp_path / "out.json")]) == Status.PASSED
    golden = guests.catalogue()["hello"].golden.read_text()
    assert capfd.readouterr().out == golden
    assert json.loads((tmp_path / "out.json").read_text())["console"] == golden


@pytest.mark.compiled
def test_piped_input_reaches_the_guest_and_ends_with_ctrl_d(source, capfd, typed):
    source(ECHO)
    typed(b"one\ntwo\n" + bytes(range(128, 256)))
    assert invoke(["run", "guest.S", "--json"]) == Status.PASSED
    console = json.loads(capfd.readouterr().out)["console"]
    assert console.startswith("one\ntwo\n")
    assert console.endswith("\\xff")


@pytest.mark.compiled
def test_input_from_a_file(source, capfd, typed, tmp_path):
    source(ECHO)
    (tmp_path / "keys").write_bytes(b"x" * 10_000)
    assert invoke(["run", "guest.S", "--input", "keys"]) == Status.PASSED
    assert capfd.readouterr().out == "x" * 10_000


def refused(arguments, capfd, *reasons):
    assert invoke(["run", *arguments]) == Status.USAGE
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    for reason in reasons:
        assert reason in err


def test_targets_that_are_none(source, capfd, typed, tmp_path):
    source("addi a0\n")
    (tmp_path / "text.elf").write_text("text")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "cut.elf").write_bytes(b"\x7fELF\1\1\1")
    refused(["helo"], capfd, "did you mean `hello`?")
    refused(["zzz"], capfd, "there are hello, ")
    refused(["nosuch"], capfd, "there are hello, ")
    refused(["nano/ctxswich"], capfd, "no such file; did you mean `nano/ctxswitch`?")
    refused(["./hello"], capfd, "./hello: no such file")
    refused(["a/b.elf"], capfd, "a/b.elf: no such file")
    refused([str(tmp_path)], capfd, "is a directory")
    refused(["guest.S"], capfd, "guest.S:1:1: error: `addi` takes 3 operands")
    refused(["text.elf"], capfd, "text.elf: is not an ELF file")
    refused(["empty"], capfd, "empty: is empty")
    refused(["cut.elf"], capfd, "cut.elf: truncated")
    refused(["x" * 300], capfd, "File name too long")


def test_settings_that_are_none(capfd, typed, tmp_path):
    refused(["hello", "--cost", "free"], capfd, "free", "p4, core2, modern")
    refused(["hello", "--cost", "none.toml"], capfd, "none.toml")
    refused(["hello", "--mem", "1K"], capfd, "memory must be")
    refused(["hello", "--input", "nowhere"], capfd, "nowhere: no such file")
    refused(["hello", "--demo"], capfd, "--demo needs an example")
    refused(["hello", "--json-file", str(tmp_path)], capfd, "is a directory")


@pytest.mark.compiled
def test_a_reader_that_leaves_ends_the_run_quietly(tmp_path):
    (tmp_path / "guest.S").write_text(
        "_start: li a7, 1\n li a0, 'x'\nnext: ecall\n li a0, 'x'\n j next\n"
    )
    with subprocess.Popen(
        argv("run", "-q", "guest.S"), cwd=tmp_path, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout.read(10) == b"x" * 10
        child.stdout.close()
        err = child.stderr.read().decode()
        assert child.wait(timeout=300) == Status.CLOSED
    assert "rror" not in err


@pytest.mark.compiled
@pytest.mark.parametrize("background", [False, True])
def test_a_terminal_is_interactive_and_restored_after_ctrl_c(tmp_path, background):
    """Also if Ctrl-C was ignored at the start, as in background jobs of a shell."""
    (tmp_path / "guest.S").write_text(ECHO)
    user, program = pty.openpty()
    before = termios.tcgetattr(program)
    with subprocess.Popen(
        argv("run", "guest.S"), cwd=tmp_path, env=environment(), start_new_session=True,
        stdin=program, stdout=program, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_IGN if background else signal.SIG_DFL
        ),
    ) as child:  # fmt: skip
        while termios.tcgetattr(program) == before:
            assert child.poll() is None, child.stderr.read()
            time.sleep(0.02)
        os.write(user, b"q")
        assert os.read(user, 10) == b"q", "one echo, the guest's"
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=300) == Status.INTERRUPTED
        assert b"interrupted" in child.stderr.read()
    assert termios.tcgetattr(program) == before
    os.close(user)
    os.close(program)
