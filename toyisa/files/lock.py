"""Answers for locks between processes, each of which a file or a directory stands for.

Must not know what they guard.  On a system, or a file system, without such locks
everybody has them: two processes may then do the same work twice.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PATIENCE = 50  # looks, of 20 ms, at a lock that another process has, until somebody is told


@contextlib.contextmanager
def held(path: Path, waits: Callable[[], None] | None) -> Iterator[bool]:
    """Hold the lock of a directory, or of a file that is made if need be; whether it is held.

    With `waits` it always is in the end, and that is called if it takes a second;
    with None nobody waits.  OSError if there can be no such file.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    mode = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, mode | os.O_CLOEXEC, 0o600)
    try:
        yield _taken(fcntl, descriptor, waits)
    finally:
        os.close(descriptor)


def _taken(fcntl: Any, descriptor: int, waits: Callable[[], None] | None) -> bool:
    with contextlib.suppress(OSError):  # no such locks
        for _ in range(PATIENCE if waits else 1):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if waits is None:
                return False
            time.sleep(0.02)
        waits()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return True
