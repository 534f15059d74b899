"""A session ends at the guest's end, at a limit, or at Ctrl-C, and gives input when it is asked
for.
"""

from types import SimpleNamespace

import pytest

from toyisa.machine import Exit
from vmm.cli.console import Script
from vmm.cli.session import SLICE, Limits, Session
from vmm.cli.status import Status

NO_LIMITS = Limits(0, 0)


class FakeMachine:
    """Each `run` returns the next of `exits`, and has used its budget."""

    def __init__(self, *exits, code=0, output=b""):
        self.exits = list(exits)
        self.code, self.how, self.reason = code, "sbi", "stuck at nowhere"
        self.idle_seconds = 0.25
        self.live = False
        self.input_ended = False
        self.instret = 0
        self.fed = []
        self.text = output

    def run(self, budget, seconds):
        why = self.exits.pop(0)
        if isinstance(why, BaseException):
            raise why
        self.instret += budget
        return why

    def output(self):
        text, self.text = self.text, b""
        return text

    def feed(self, data):
        self.fed.append(data)

    def end_input(self):
        self.fed.append("end")


class FakeKeyboard:
    """Answers each wait with the next of `answers`, and remembers how long the wait was."""

    live = True

    def __init__(self, *answers):
        self.answers = list(answers)
        self.waits = []

    def wait(self, seconds):
        self.waits.append(seconds)
        return self.answers.pop(0)


def play(machine, keys=None, limits=NO_LIMITS):
    shown = []
    outcome = Session(machine, keys or Script(b""), shown.append, limits).run()
    return outcome, b"".join(shown)


@pytest.mark.parametrize(
    ("why", "code", "word", "status", "line"),
    [
        (Exit.HALTED, 0, "halted", Status.PASSED, "passed"),
        (Exit.HALTED, 7, "halted", Status.FAILED, "failed with code 7 (by sbi)"),
        (Exit.FATAL, 0, "fatal", Status.FAILED, "the guest cannot go on: stuck at nowhere"),
        (Exit.IDLE, 0, "idle", Status.LIMIT, "sleeps and nothing can wake it"),
    ],
)
def test_the_guest_ends(why, code, word, status, line):
    outcome, shown = play(FakeMachine(Exit.BUDGET, why, code=code, output=b"bye\n"))
    assert (outcome.exit, outcome.status) == (word, status)
    assert line in outcome.line
    assert shown == b"bye\n"


def test_ctrl_c_ends_the_run_with_what_there_is():
    outcome, shown = play(FakeMachine(Exit.BUDGET, KeyboardInterrupt(), output=b"so far"))
    assert (outcome.exit, outcome.status) == ("interrupted", Status.INTERRUPTED)
    assert shown == b"so far"


def test_the_instruction_limit_is_exact():
    machine = FakeMachine(*[Exit.BUDGET] * 9)
    outcome, _ = play(machine, limits=Limits(SLICE + 5, 0))
    assert (outcome.exit, outcome.status) == ("budget", Status.LIMIT)
    assert machine.instret == SLICE + 5


def test_a_guest_that_ends_at_its_limit_has_ended():
    outcome, _ = play(FakeMachine(Exit.HALTED), limits=Limits(1, 0))
    assert outcome.status == Status.PASSED


def test_the_time_limit_does_not_count_waiting(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("vmm.cli.session.time", SimpleNamespace(perf_counter=lambda: now[0]))

    class Slow(FakeMachine):
        def run(self, budget, seconds):
            now[0] += 1
            return super().run(budget, seconds)

    class Patient(FakeKeyboard):
        def wait(self, seconds):
            now[0] += 1000
            return super().wait(seconds)

    machine = Slow(*[Exit.INPUT] * 3, *[Exit.BUDGET] * 9)
    outcome, _ = play(machine, Patient(*[b""] * 12), Limits(0, 5))
    assert (outcome.exit, outcome.status, outcome.seconds) == ("timeout", Status.LIMIT, 6)


def test_piped_input_is_fed_when_asked_for_and_its_end_is_one_ctrl_d():
    machine = FakeMachine(Exit.BUDGET, Exit.INPUT, Exit.BUDGET, Exit.INPUT, Exit.HALTED)
    outcome, _ = play(machine, Script(b"ls\n"))
    assert machine.fed == [b"ls\n", b"\x04", "end"]
    assert outcome.status == Status.PASSED


def test_a_guest_that_wants_more_than_there_is_ends():
    machine = FakeMachine(*[Exit.INPUT] * 9)
    outcome, _ = play(machine, Script(b"ls\n"))
    assert outcome.exit == "idle"
    assert machine.fed == [b"ls\n", b"\x04", "end"]


def test_keys_are_looked_for_between_slices_and_waited_for_when_idle():
    machine = FakeMachine(Exit.BUDGET, Exit.INPUT, Exit.INPUT, Exit.HALTED)
    keys = FakeKeyboard(b"a", b"", b"b")
    play(machine, keys)
    assert machine.live
    assert keys.waits == [0, 0.25, 0.25]
    assert machine.fed == [b"a", b"b"]
