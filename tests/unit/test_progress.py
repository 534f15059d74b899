"""One line that is written over itself on a terminal, and nothing of it elsewhere."""

import io
import os
import threading
from types import SimpleNamespace

import pytest

from toyisa.files import progress


class Screen(io.StringIO):
    """A terminal of one line's memory: what is seen after all that was written."""

    def isatty(self):
        return True

    @property
    def lines(self):
        seen = []
        for line in self.getvalue().split("\n"):
            shown = ""
            for piece in line.split("\r"):
                text, erase, more = piece.partition("\x1b[K")
                shown = text + more + ("" if erase else shown[len(text) :])
            seen.append(shown.rstrip())
        return seen


def stderr(monkeypatch, found):
    """Let the module write there; pytest has a `sys.stderr` of its own for each phase."""
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=found))


@pytest.fixture
def screen(monkeypatch):
    found = Screen()
    stderr(monkeypatch, found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    yield found
    progress.clear()


def test_a_line_takes_the_place_of_the_one_before(screen):
    progress.show("a long line that says what is done")
    progress.show("a short one")
    assert screen.lines == ["toyvmm: a short one"]
    progress.say("done")
    assert screen.lines == ["toyvmm: done", ""]
    progress.clear()
    assert screen.lines == ["toyvmm: done", ""]


def test_it_is_never_wider_than_the_terminal(screen):
    progress.show("x" * 200)
    (line,) = screen.lines
    assert len(line) == 59
    assert line.endswith("...")


def look(asked):
    """Wait until a line is shown that was asked for after this call."""
    while asked.acquire(blocking=False):
        pass
    asked.acquire()
    asked.acquire()  # so the answer before this one has been shown


def test_it_says_how_far_and_how_long(screen, monkeypatch):
    monkeypatch.setattr(progress, "PERIOD", 0.001)
    asked, done = threading.Semaphore(0), []

    def far():
        asked.release()
        return f"{len(done)} of 2 parts"

    with progress.watched("compiling it", far):
        for n in range(3):
            look(asked)
            assert screen.lines[0].startswith(f"toyvmm: compiling it: {n} of 2 parts, ")
            done.append(n)
    assert screen.lines == [""]
    assert "0 of 2 parts, 0 s" in screen.getvalue()
    assert "\n" not in screen.getvalue()


def test_it_says_at_what_stage_it_is(screen, monkeypatch):
    monkeypatch.setattr(progress, "PERIOD", 0.001)
    asked = threading.Semaphore(0)
    with progress.watched("compiling it", lambda: asked.release() or ""):
        progress.stage("optimising")
        look(asked)
        assert screen.lines[0].endswith(" s, optimising")
    with progress.watched("compiling another", lambda: asked.release() or ""):
        look(asked)
        assert screen.lines[0].endswith(" s")


def test_it_is_gone_after_an_error(screen, monkeypatch):
    monkeypatch.setattr(progress, "PERIOD", 0.001)
    asked = threading.Semaphore(0)

    def task():
        with progress.watched("compiling it", lambda: asked.release() or ""):
            look(asked)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task()
    assert screen.lines == [""]


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_elsewhere_only_what_is_said_is_written(monkeypatch, term):
    file = io.StringIO() if term == "xterm" else Screen()
    stderr(monkeypatch, file)
    monkeypatch.setenv("TERM", term)
    with progress.watched("compiling it", lambda: pytest.fail("nobody looks")):
        progress.show("how far")
    progress.say("done")
    assert file.getvalue() == "toyvmm: done\n"


def test_nobody_can_read_it(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as gone:
        stderr(monkeypatch, gone)
        progress.say("done")
        stderr(monkeypatch, None)
        progress.say("done")
        progress.show("how far")
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)  # what is buffered can go now
