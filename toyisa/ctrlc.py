"""Answers for Ctrl-C while a machine runs: it waits for the end of the slice.

Between two slices the machine is consistent; while root works on it in Python it is not.
Must not know machines.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Within this SIGINT is only noted: call the yielded function where it may be answered.

    That function calls the handler that was there before; Python's own raises
    KeyboardInterrupt. A SIGINT that was not answered is answered at the end.  Only the main
    thread gets signals.  A SIGINT that is ignored stays ignored.
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
