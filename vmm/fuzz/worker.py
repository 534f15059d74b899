"""Answers for a process of a campaign: it runs the chunks that it is given, and reports.

Over its pipe come chunk numbers, and None for the end; back go messages: ("ready",),
("tick", executions, seen), ("failure", failure), ("done", chunk), ("stopped",),
("error", text).  Before each case it writes the case down, so that one that ends the
process is not lost.  Must not know of other processes.
"""

import pickle
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from vmm.fuzz.case import Case
from vmm.fuzz.hunt import Stop, hunt
from vmm.fuzz.laws import LAWS, Law
from vmm.fuzz.seen import Seen

TICK = 1.0  # seconds between two reports


class _Reporter:
    """Counts executions, and looks for an end between two of them."""

    def __init__(self, pipe: Connection, note: Path):
        self.pipe, self.note, self.seen = pipe, note, Seen()
        self.executions, self.reported = 0, time.monotonic()

    def before(self, case: Case) -> None:
        if time.monotonic() - self.reported > TICK:
            self.report()
        if self.pipe.poll():
            raise Stop
        self.note.write_bytes(pickle.dumps(case))
        self.executions += 1

    def report(self) -> None:
        self.pipe.send(("tick", self.executions, self.seen))
        self.executions, self.reported = 0, time.monotonic()


def work(pipe: Connection, law: str, engine: str, seed: int, note: str) -> None:
    """The process's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the campaign says when to stop
    try:
        _warm(LAWS[law], engine)
        reporter = _Reporter(pipe, Path(note))
        pipe.send(("ready",))
        while (chunk := pipe.recv()) is not None:
            _chunk(reporter, LAWS[law], engine, seed, chunk)
        pipe.send(("stopped",))
    except (EOFError, BrokenPipeError):  # the campaign is gone
        return
    except Exception as error:
        pipe.send(("error", f"{type(error).__name__}: {error}"))


def _chunk(reporter: _Reporter, law: Law, engine: str, seed: int, chunk: int) -> None:
    failure, whole = hunt(law, engine, seed, chunk, reporter.seen, reporter.before)
    reporter.report()
    if failure:
        reporter.pipe.send(("failure", failure))
    if whole:
        reporter.pipe.send(("done", chunk))


def _warm(law: Law, engine: str) -> None:
    """Compile or load what the cases need, which is not the campaign's time."""
    made: Any = None
    if law.runs:
        from toyisa.machine import Machine

        made = Machine(mem=1 << 20)
        if engine != "native":
            from vmm.machine import VirtualMachine

            made = VirtualMachine(mem=1 << 20, engine=engine)
    del made
