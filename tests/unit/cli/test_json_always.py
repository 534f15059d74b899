"""With --json a command always prints one object."""

import json

import pytest

from vmm.cli.main import invoke
from vmm.cli.status import Status


@pytest.fixture
def result(tmp_path, monkeypatch, capfd):
    """The object that a command line prints, which is all of stdout."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").touch()

    def result(*arguments, status):
        assert invoke([*arguments, "--json"]) == status
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return json.loads(out)

    return result


def test_errors_of_a_source_are_records(result, tmp_path):
    (tmp_path / "bad.S").write_text("_start: lbx a0, 0(a1)\n addi a0, a0\n")
    found = result("run", "bad.S", status=Status.USAGE)
    assert (found["schema"], found["exit"], found["status"]) == ("toyvmm.run/1", "refused", 2)
    first, second = found["problems"]
    assert (first["file"], first["line"], first["column"]) == ("bad.S", 1, 9)
    assert "lbx" in first["message"]
    assert first["severity"] == "error"
    assert second["line"] == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("run", "nowhere.elf"), "no such file"),
        (("run", "none"), "not an ELF"),
        (("run",), "Missing argument"),
        (("run", "hello", "--mem", "1K"), "memory must be"),
        (("run", "hello", "--max-insns", "many"), "many"),
        (("run", "hello", "--no-such-option"), "no-such-option"),
        (("boot", "hello", "--engine", "nonsense"), "nonsense"),
        (("stat", "nowhere.elf"), "no such file"),
        (("host", "up", "nowhere.toml"), "no such file"),
        (("host", "up", "none"), "there is no [[domain]]"),
    ],
)
def test_what_is_refused(result, arguments, reason):
    found = result(*arguments, status=Status.USAGE)
    assert found["schema"] == f"toyvmm.{arguments[0]}/1"
    assert (found["exit"], found["problems"]) == ("refused", [])
    assert reason.lower() in found["reason"].lower() or "is empty" in found["reason"]


def test_ctrl_c_before_the_guest_runs(result, monkeypatch):
    def interrupted(*_arguments, **_given):
        raise KeyboardInterrupt

    monkeypatch.setattr("vmm.cli.guest.chosen", interrupted)
    found = result("run", "hello", status=Status.INTERRUPTED)
    assert (found["exit"], found["status"]) == ("interrupted", 130)


def test_ctrl_c_while_it_runs_and_a_limit(result, tmp_path, monkeypatch):
    (tmp_path / "spin.S").write_text("_start: j _start\n")
    arguments = ("run", "spin.S", "--input", "none")
    found = result(*arguments, "--max-insns", "1000", status=Status.LIMIT)
    assert (found["exit"], found["instret"]) == ("budget", 1000)
    assert found["hint"].startswith("endless loop: ")
    assert found["hint"] == found["diagnosis"]["sentences"][0]
    assert found["diagnosis"]["hot"][0]["line"] == "spin.S:1"

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("vmm.cli.session.Session._slice", interrupted)
    assert result(*arguments, status=Status.INTERRUPTED)["exit"] == "interrupted"


def test_an_object_is_printed_once(result, tmp_path):
    """What fails after the run has already printed: memory has no signature."""
    (tmp_path / "end.S").write_text("_start: li a7, 8\n ecall\n")
    arguments = ("run", "end.S", "--input", "none", "--signature", "sig")
    assert result(*arguments, status=Status.USAGE)["exit"] in ("halted", "refused")


def test_without_json_there_is_none(tmp_path, capfd):
    assert invoke(["run", str(tmp_path / "nowhere.elf")]) == Status.USAGE
    assert capfd.readouterr().out == ""
