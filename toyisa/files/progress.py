"""Answers for the one line on stderr that says what a long task does, and how far it is.

On a terminal the line is written over itself.  Elsewhere it is not shown at all: there the
caller says a line when the task begins, and one when it has ended.  Must not know any task.
"""

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator

PERIOD = 0.2  # seconds between two looks at how far a task is
BEGIN, REST = "\r", "\x1b[K"  # go to the line's begin; erase from here to its end

_lock = threading.RLock()
_shown = False  # whether there is a line now
_stage = ""     # of the task that is watched


def live() -> bool:
    """Whether a line can be written over itself: stderr is a terminal that people look at."""
    try:
        return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # it is closed
        return False


def show(text: str) -> None:
    """Write `text` in place of the line that is shown, if stderr is a terminal."""
    global _shown
    if not live():
        return
    with _lock:
        room = shutil.get_terminal_size().columns - 1  # the last column would begin a line
        text = f"toyvmm: {text}"
        text = text if len(text) <= room else text[: max(room - 3, 0)] + "..."
        _write(BEGIN + text + REST)
        _shown = True


def clear() -> None:
    """Take away the line that is shown, as whatever comes next begins a line."""
    global _shown
    with _lock:
        if _shown:
            _write(BEGIN + REST)
            _shown = False


def say(line: str) -> None:
    """A line that stays, for people; where nobody can read it, the task goes on."""
    with _lock:
        clear()
        _write(f"toyvmm: {line}\n")


def stage(text: str) -> None:
    """What the task that is watched does from now on."""
    global _stage
    _stage = text


@contextlib.contextmanager
def watched(what: str, far: Callable[[], str]) -> Iterator[None]:
    """Show `what`, how `far` it is, the seconds since it began, and its `stage`, until it ends.

    `far` is called in another thread, some times a second; its answer may be empty.
    """
    if not live():
        yield
        return
    stage("")
    began, ended = time.monotonic(), threading.Event()

    def tell() -> None:
        while not ended.wait(PERIOD):
            with contextlib.suppress(OSError):  # what is looked at may be in motion
                parts = far(), f"{time.monotonic() - began:.0f} s", _stage
                show(f"{what}: {', '.join(filter(None, parts))}")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        clear()


def _write(text: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # nobody can read it
            sys.stderr.write(text)
            sys.stderr.flush()
