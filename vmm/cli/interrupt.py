"""Answers for Ctrl-C at any moment: while the process imports and compiles, too.

Python calls a signal's handler between two steps of its own.  A compiler may be at one such
step for seconds, and what it calls back may drop the exception.  So a thread waits for SIGINT
beside it, and ends the process if nobody else has.  Must not know what is being done.
"""

import os
import signal
import threading

from vmm.cli.status import Status

PATIENCE = 0.15  # seconds that the main thread has to answer

_answered = threading.Event()


def watch() -> None:
    """SIGINT ends the process from now on, as KeyboardInterrupt if that is soon enough.

    Not where it is ignored, as in a job in the background.
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
