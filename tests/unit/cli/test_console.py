"""Console input: keys, pipes and files, and a terminal that is always restored."""

import os
import pty
import signal
import sys
import termios
from types import SimpleNamespace

import pytest

from vmm.cli import console


@pytest.fixture
def terminal():
    """Both ends of a pseudo-terminal: what the user types into, what the program reads."""
    user, program = pty.openpty()
    yield user, program
    os.close(user)
    os.close(program)


def attach(monkeypatch, descriptor, is_terminal):
    stdin = SimpleNamespace(fileno=lambda: descriptor, isatty=lambda: is_terminal, closed=False)
    monkeypatch.setattr(sys, "stdin", stdin)


def test_keys_come_one_by_one_and_without_echo(terminal, monkeypatch):
    user, program = terminal
    attach(monkeypatch, program, True)
    with console.opened(None, keyboard=True) as keys:
        assert keys.live
        assert keys.wait(0) == b""
        os.write(user, b"l")
        assert keys.wait(10) == b"l"
        os.write(user, b"\x04\x1a")  # Ctrl-D and Ctrl-Z are for the guest
        assert keys.wait(10) == b"\x04\x1a"
        os.write(program, b"guest")
        assert os.read(user, 100) == b"guest", "typed keys must not be echoed"
        assert termios.tcgetattr(program)[3] & termios.ISIG, "Ctrl-C must stay a signal"


def test_a_pipe_that_sends_nothing_is_told_once(monkeypatch, capfd):
    ours, theirs = os.pipe()
    attach(monkeypatch, ours, False)
    os.write(theirs, b"x")
    with console.opened(None, keyboard=True) as keys:
        assert keys.wait(None) == b"x"
        assert capfd.readouterr().err == ""
        monkeypatch.setattr(console, "PATIENCE", 0)
        # The write comes after the message that says what the guest waits for.
        monkeypatch.setattr(console, "tell", lambda line: os.write(theirs, line.encode()))
        assert b"</dev/null" in keys.wait(None)
        os.close(theirs)
        assert keys.wait(None) is None
        assert keys.wait(None) is None
    os.close(ours)


@pytest.mark.parametrize(
    "error", [None, KeyboardInterrupt, ValueError, signal.SIGTERM, signal.SIGHUP]
)
def test_the_terminal_is_restored_however_the_run_ends(terminal, monkeypatch, error):
    _, program = terminal
    attach(monkeypatch, program, True)
    before = termios.tcgetattr(program)
    handler = signal.getsignal(signal.SIGTERM)

    def session():
        with console.opened(None, keyboard=True):
            assert termios.tcgetattr(program) != before
            if isinstance(error, signal.Signals):
                signal.raise_signal(error)
            elif error:
                raise error

    if error is None:
        session()
    else:
        with pytest.raises(SystemExit if isinstance(error, signal.Signals) else error):
            session()
    assert termios.tcgetattr(program) == before
    assert signal.getsignal(signal.SIGTERM) == handler


def test_a_terminal_whose_echo_nobody_sees_is_read_by_lines(terminal, monkeypatch):
    user, program = terminal
    attach(monkeypatch, program, True)
    before = termios.tcgetattr(program)
    with console.opened(None, keyboard=False) as keys:
        assert termios.tcgetattr(program) == before
        assert not keys.live
        os.write(user, b"ls\n")
        assert keys.wait(None) == b"ls\n"


def test_a_pipe_ends(monkeypatch):
    read, write = os.pipe()
    attach(monkeypatch, read, False)
    os.write(write, b"ls\n")
    os.close(write)
    with console.opened(None, keyboard=True) as keys:
        assert not keys.live
        assert [keys.wait(None), keys.wait(None)] == [b"ls\n", None]
    os.close(read)


def test_no_stdin_at_all_is_an_empty_one(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with console.opened(None, keyboard=True) as keys:
        assert keys.wait(None) is None


def test_a_script():
    with console.opened(b"ls\n", keyboard=True) as keys:
        assert [keys.wait(None), keys.wait(None)] == [b"ls\n", None]
