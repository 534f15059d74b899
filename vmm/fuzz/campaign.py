"""Answers for a campaign as a whole: its processes, its time, what they find, what is kept.

Must not know what a law requires, nor how a report is shown.
"""

import contextlib
import multiprocessing
import pickle
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from pathlib import Path
from typing import Any

from toyisa.files import lock
from vmm.engines import outside
from vmm.fuzz import apart
from vmm.fuzz.corpus import Failure, Statistics, read_statistics, regressions, write_statistics
from vmm.fuzz.seen import Seen, merged
from vmm.fuzz.worker import work

ENOUGH = 10      # failures: with so many, look at them first
GRACE = 20.0     # seconds that a process gets to stop
ENDING = (signal.SIGINT, signal.SIGTERM)
SHOW_EVERY = 1.0
SAVE_EVERY = 10.0


class CampaignError(RuntimeError):
    """A process of the campaign failed, and no case is the reason."""


@dataclass
class Plan:
    """What the campaign should do."""

    law: str
    engine: str
    seconds: float
    jobs: int
    folder: Path
    seed: int = 0
    checked: bool = False  # with bounds checks in compiled code

    @property
    def key(self) -> str:
        """The campaign's name in the statistics."""
        return f"{self.law} {self.engine} seed {self.seed}"

    @property
    def running(self) -> Path:
        """The beginning of the names of its files while it runs."""
        return self.folder / f".running-{self.law}-{self.engine}-{self.seed}"


@dataclass
class Result:
    """What the campaign found this time; `total` includes earlier campaigns."""

    total: Statistics
    executions: int = 0
    seconds: float = 0.0
    failures: list[tuple[Path, Failure]] = field(default_factory=list)
    interrupted: bool = False
    resumed: int = 0  # executions of earlier campaigns


@dataclass
class _Job:
    process: Any
    pipe: connection.Connection
    note: Path
    task: int | Failure | None = None  # a chunk, or a failure to try again
    ready: bool = False


class Campaign:
    """Runs a plan once."""

    def __init__(self, plan: Plan, show: Callable[[Result], None]):
        self.plan, self.show = plan, show
        self.result = Result(read_statistics(plan.folder, plan.key))
        self.result.resumed = self.result.total.executions
        self.seen = Seen()
        self.jobs: list[_Job] = []
        self.began: float | None = None  # when the first process was ready
        self.earlier = self.result.total.seconds, self.result.total.seen
        self.again = regressions(plan.folder, plan.law, plan.engine)
        self.stopping = False

    def run(self) -> Result:
        """Run until time is up, enough failures are found, Ctrl-C or SIGTERM.

        CampaignError, CorpusError, OSError.
        """
        plan = self.plan
        with lock.held(plan.running, waits=None) as ours:
            if not ours:
                raise CampaignError(f"another process runs {plan.key} on this corpus; "
                                    "give another --seed or --corpus")  # fmt: skip
            try:
                # The cases that are being tried, pickled.  They are not in the corpus, where
                # somebody else could have put some.
                with tempfile.TemporaryDirectory(prefix="toyvmm-") as notes:
                    self._run(Path(notes))
            finally:
                plan.running.unlink(missing_ok=True)
        return self.result

    def _run(self, notes: Path) -> None:
        old = [signal.getsignal(number) for number in ENDING]
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._start(notes)
            self._until(self._time_is_up)
        except KeyboardInterrupt:
            self.result.interrupted = True
        finally:
            for number in ENDING:  # so that a second Ctrl-C does not lose what was found
                signal.signal(number, signal.SIG_IGN)
            try:
                self._stop()
                self._save()
            finally:
                _handle(old)

    # -- processes ---------------------------------------------------------

    def _start(self, notes: Path) -> None:
        self.result.total.failures.clear()  # those that still fail will be found again
        for n in range(self.plan.jobs):
            self._start_job(notes / str(n))

    def _start_job(self, note: Path) -> None:
        context, plan = multiprocessing.get_context("spawn"), self.plan
        # Processes inherit this: a terminal, and `timeout`, send the signal to the campaign's whole
        # group.
        old = [signal.signal(number, signal.SIG_IGN) for number in ENDING]
        try:
            here, there = context.Pipe()
            arguments = there, plan.law, plan.engine, plan.seed, str(note), outside.files()
            process = context.Process(target=work, args=arguments, daemon=True)
            with apart.checks(plan.checked):
                process.start()
            there.close()
            self.jobs.append(_Job(process, here, note))
        finally:
            _handle(old)

    def _until(self, over: Callable[[], bool]) -> None:
        shown = saved = time.monotonic()
        while self.jobs and not over():
            for pipe in connection.wait([job.pipe for job in self.jobs], 0.2):
                job = next(job for job in self.jobs if job.pipe is pipe)
                try:
                    self._hear(job, pipe.recv())
                except (EOFError, ConnectionError):
                    self._died(job)
            now = time.monotonic()
            if now - shown >= SHOW_EVERY:
                self._count_time()
                if self.began is not None:
                    self.show(self.result)
                shown = now
            if now - saved >= SAVE_EVERY:
                self._save()
                saved = now

    def _hear(self, job: _Job, message: tuple) -> None:
        match message:
            case ("ready",):
                job.ready = True
                self.began = self.began or time.monotonic()
                self._give(job)
            case ("tick", executions, seen):
                self.result.executions += executions
                self.result.total.executions += executions
                self.seen.add(seen)
            case ("failure", failure):
                self._found(failure)
            case ("done", task):
                if not isinstance(task, Failure):
                    self.result.total.done.add(task)
                self._give(job)
            case ("stopped",):
                self._forget(job)
            case ("error", text):
                self._forget(job)
                raise CampaignError(text)

    def _give(self, job: _Job) -> None:
        if self.stopping or self._time_is_up():
            return
        taken = {other.task for other in self.jobs if isinstance(other.task, int)}
        job.task = self.again.pop() if self.again else self.result.total.next_chunk(taken)
        job.pipe.send(job.task)

    def _died(self, job: _Job) -> None:
        """The process ended without a message: its last case was the reason."""
        job.process.join(GRACE)
        code, task, plan = job.process.exitcode, job.task, self.plan
        try:
            case = pickle.loads(job.note.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            case = None
        self._forget(job)
        if case is None:
            raise CampaignError(f"a process ended with code {code} before its first case")
        told = "the process survives", f"it ended with code {code}"
        if isinstance(task, Failure):
            self._found(replace(task, expected=told[0], actual=told[1]))
        else:
            self._found(Failure(plan.law, plan.engine, case, *told, plan.seed, task or 0))
            self.result.total.done.add(task or 0)  # or the next process would die of it too
        if not self.stopping and not self._time_is_up():
            self._start_job(job.note)

    def _forget(self, job: _Job) -> None:
        self.jobs.remove(job)
        job.pipe.close()
        job.process.join(1)
        with contextlib.suppress(OSError):
            job.note.unlink()

    def _stop(self) -> None:
        """Let every process end, and read what it still reports."""
        self.stopping = True
        for job in self.jobs:
            with contextlib.suppress(OSError):
                job.pipe.send(None)
            if not job.ready:  # it compiles; what it has compiled so far is kept
                job.process.kill()
        limit = time.monotonic() + GRACE
        with contextlib.suppress(CampaignError):
            self._until(lambda: time.monotonic() > limit)
        for job in list(self.jobs):
            job.process.kill()
            self._forget(job)

    # -- results -----------------------------------------------------------

    def _time_is_up(self) -> bool:
        if len(self.result.failures) >= ENOUGH:
            return True
        return self.began is not None and time.monotonic() - self.began >= self.plan.seconds

    def _found(self, failure: Failure) -> None:
        total = self.result.total
        path = failure.save(self.plan.folder)
        if all(path != known for known, _ in self.result.failures):
            self.result.failures.append((path, failure))
        if path.name not in total.failures:
            total.failures.append(path.name)

    def _count_time(self) -> None:
        if self.began is not None:
            self.result.seconds = time.monotonic() - self.began
            self.result.total.seconds = self.earlier[0] + self.result.seconds
        self.result.total.seen = merged(self.earlier[1], self.seen.names())

    def _save(self) -> None:
        self._count_time()
        write_statistics(self.plan.folder, self.plan.key, self.result.total)


def _handle(handlers: list[Any]) -> None:
    """Handle the signals that end a campaign as before."""
    for number, handler in zip(ENDING, handlers):
        signal.signal(number, handler)
