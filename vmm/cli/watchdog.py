"""Answers for Ctrl-C at any moment, even while the process imports and compiles.

Python calls a signal's handler between two steps of its own.  A compiler may be in one such
step for seconds, and the code that it calls back may drop the exception.  So a thread also
waits for SIGINT, and ends the process if nothing else has ended it.  Must not know what the
process does.
"""

import os
import signal
import threading

from vmm.cli.status import Status

PATIENCE = 0.15  # seconds that the main thread has to answer

_answered = threading.Event()


def watch() -> None:
    """From now on SIGINT ends the process, by KeyboardInterrupt if that is soon enough.

    Nothing is changed if SIGINT is ignored, as in a background job.
    """
    if not callable(signal.getsignal(signal.SIGINT)):
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), daemon=True).start()


def answered() -> None:
    """The caller answers SIGINT itself from now on, or has just done so."""
    _answered.set()


def _watch(reading: int) -> None:
    while number := os.read(reading, 1):
        if number[0] == signal.SIGINT and not _answered.wait(PATIENCE):
            os._exit(Status.INTERRUPTED)
