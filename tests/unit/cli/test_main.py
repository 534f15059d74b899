"""Whatever goes wrong gives one line on stderr and a documented exit code."""

import errno
import os

import pytest

import vmm.cli.main as main
from vmm.cli.examples import examples
from vmm.cli.status import MEANING, Status


@pytest.fixture
def failing(monkeypatch):
    """Make `toyvmm examples` raise an exception."""

    def fail(error):
        def callback(**_):
            raise error

        monkeypatch.setattr(examples, "callback", callback)

    return fail


def test_an_unexpected_exception_is_one_line_and_asks_for_a_report(failing, capfd):
    failing(KeyError("boom\nmore"))
    assert main.invoke(["examples"]) == Status.INTERNAL
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("toyvmm: internal error: KeyError: 'boom")
    assert "TOYVMM_TRACEBACK=1" in err
    assert "Traceback" not in err


def test_the_traceback_is_there_for_those_who_ask(failing, monkeypatch):
    monkeypatch.setenv("TOYVMM_TRACEBACK", "1")
    failing(KeyError("boom"))
    with pytest.raises(KeyError):
        main.invoke(["examples"])


def test_ctrl_c_is_quiet(failing, capfd):
    failing(KeyboardInterrupt())
    assert main.invoke(["examples"]) == Status.INTERRUPTED
    assert "rror" not in capfd.readouterr().err


def test_a_reader_that_has_gone_is_no_error(failing, capfd, monkeypatch):
    monkeypatch.setattr(main, "discard", lambda stream: None)
    failing(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))
    assert main.invoke(["examples"]) == Status.CLOSED
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["run"], ["run", "hello", "--bogus"], ["run", "hello", "--profile", "lax"],
     ["run", "hello", "--mem", "3x"], ["run", "hello", "--max-insns", "-1"],
     ["run", "hello", "--max-insns", "1e99"], ["run", "hello", "--timeout", "soon"],
     ["run", "hello", "--timeout", "nan"], ["run", "hello", "--timeout", "-1"],
     ["asm", "a.S", "-D", "1x"], ["asm", "a.S", "-D", "x=y"], ["asm", "a.S", "--base", "0xg"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage(arguments, capfd):
    assert main.invoke(arguments) == Status.USAGE
    assert "Error: " in capfd.readouterr().err


def test_help_names_every_exit_code(capfd):
    assert main.invoke(["--help"]) == 0
    out = capfd.readouterr().out
    for status, meaning in MEANING.items():
        assert f"{status:>3}  {meaning}" in out
