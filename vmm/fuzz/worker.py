"""Answers for a process of a campaign: it runs the chunks that it is given, and reports.

Its pipe brings chunk numbers, earlier failures to be tried again, and None for the end.  It
sends messages: ("ready",), ("tick", executions, seen), ("failure", failure), ("done", what),
("stopped",), ("error", text).  It writes each case down before it runs it, so that a case
that ends the process is not lost.  Must not know of other processes.
"""

import pickle
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from vmm.engines import outside
from vmm.fuzz import guarded
from vmm.fuzz.case import Case
from vmm.fuzz.corpus import Failure, violated
from vmm.fuzz.hunt import Stop, hunt
from vmm.fuzz.laws import LAWS, Law
from vmm.fuzz.seen import Seen

TICK = 1.0  # seconds between two reports


class _Reporter:
    """Counts executions, and checks between two of them whether to end."""

    def __init__(self, pipe: Connection, note: Path):
        self.pipe, self.note, self.seen = pipe, note, Seen()
        self.executions, self.reported = 0, time.monotonic()
        self.begun = 0  # cases in all

    def before(self, case: Case) -> None:
        if time.monotonic() - self.reported > TICK:
            self.report()
        if self.pipe.poll():
            raise Stop
        self.note.write_bytes(pickle.dumps(case))
        self.executions += 1
        self.begun += 1

    def report(self) -> None:
        self.pipe.send(("tick", self.executions, self.seen))
        self.executions, self.reported = 0, time.monotonic()


def work(
    pipe: Connection, law: str, engine: str, seed: int, note: str, files: Sequence[Path] = ()
) -> None:
    """The whole life of the process.  `files` are those that register engines."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the campaign says when to stop
        signal.signal(number, signal.SIG_IGN)
    if LAWS[law].checked:
        guarded.install()
    try:
        outside.load_all(files)
        _warm(LAWS[law], engine)
        reporter = _Reporter(pipe, Path(note))
        pipe.send(("ready",))
        while (task := pipe.recv()) is not None:
            if isinstance(task, Failure):
                _again(reporter, task)
            else:
                _chunk(reporter, LAWS[law], engine, seed, task)
        pipe.send(("stopped",))
    except (EOFError, BrokenPipeError):  # the campaign has gone
        return
    except Exception as error:
        pipe.send(("error", f"{type(error).__name__}: {error}"))


def _chunk(reporter: _Reporter, law: Law, engine: str, seed: int, chunk: int) -> None:
    earlier = reporter.begun
    failure, _whole = hunt(law, engine, seed, chunk, reporter.seen, reporter.before)
    reporter.report()
    if failure:
        reporter.pipe.send(("failure", failure))
    # If time has cut it too: otherwise it would give the same cases again
    if reporter.begun > earlier:
        reporter.pipe.send(("done", chunk))


def _again(reporter: _Reporter, failure: Failure) -> None:
    try:
        reporter.before(failure.case)
    except Stop:
        return
    violation = violated(failure)
    reporter.report()
    if violation:
        told = {"expected": violation.expected, "actual": violation.actual}
        reporter.pipe.send(("failure", replace(failure, **told)))
    reporter.pipe.send(("done", failure))


def _warm(law: Law, engine: str) -> None:
    """Compile or load what the cases need; that is not counted as the campaign's time."""
    made: Any = None
    if law.compiled:
        from vmm.machine import new_machine

        made = new_machine(engine, mem=1 << 20)
    del made
