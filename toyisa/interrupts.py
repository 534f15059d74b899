"""Answers for Ctrl-C while a machine runs: it waits for the end of the slice.

Between two slices the machine is whole; in the middle of what root does in Python it is
not.  Must not know machines.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Within it SIGINT is noted only: call what comes back where it may be answered.

    That calls the handler which was there before, Python's own raises KeyboardInterrupt.
    One that comes late is answered at the end.  Other threads than the main one get no
    signals, and a SIGINT that is ignored stays so.
    """
    noted: list[tuple] = []
    before = signal.getsignal(signal.SIGINT)
    here = threading.current_thread() is threading.main_thread() and callable(before)

    def answer() -> None:
        if noted:
            number, frame = noted.pop()
            before(number, frame)

    if not here:
        yield answer
        return
    signal.signal(signal.SIGINT, lambda *signaled: noted.append(signaled))
    try:
        yield answer
    finally:
        signal.signal(signal.SIGINT, before)
        answer()
