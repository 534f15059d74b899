"""Answers for processes whose compiled code has bounds checks, and for one case in such a
process.

Must not know what a campaign does with the result.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vmm.fuzz import guarded
from vmm.fuzz.case import Violation
from vmm.fuzz.corpus import load, violated

# Numba reads it when it is imported, and it leads to another cache
BOUNDS_CHECK = "NUMBA_BOUNDSCHECK"


@contextlib.contextmanager
def checks(on: bool) -> Iterator[None]:
    """While this lasts, processes that are started compile with bounds checks, if `on`."""
    before = os.environ.get(BOUNDS_CHECK)
    if on:
        os.environ[BOUNDS_CHECK] = "1"
    try:
        yield
    finally:
        if on and before is None:
            del os.environ[BOUNDS_CHECK]
        elif on:
            os.environ[BOUNDS_CHECK] = before


def violated_apart(path: Path) -> Violation | None:
    """How the law still fails on the case in a file, tried with checks; None if it holds."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_try, args=(there, str(path)))
    with checks(True):
        process.start()
    there.close()
    try:
        answer = here.recv()
    except (EOFError, ConnectionError):
        process.join()
        return Violation("the process goes on", f"it ended with code {process.exitcode}")
    process.join()
    return Violation(*answer) if answer else None


def _try(pipe: Any, path: str) -> None:
    guarded.install()
    violation = violated(load(Path(path)))
    pipe.send((violation.expected, violation.actual) if violation else None)
