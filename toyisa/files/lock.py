"""Answers for locks between processes; a file or a directory stands for each lock.

Must not know what they guard.  If a system, or a file system, has no such locks, every
process gets the lock: two processes may then do the same work twice.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# How often, every 20 ms, a lock that another process has is tried before `waits` is called
PATIENCE = 50


@contextlib.contextmanager
def held(path: Path, waits: Callable[[], None] | None) -> Iterator[bool]:
    """Hold the lock of a directory, or of a file that is made if necessary; yield whether it is
    held.

    With `waits` the lock is always held in the end, and `waits` is called if that takes a
    second. With None this does not wait.  OSError if there can be no such file.
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
    with contextlib.suppress(OSError):  # there are no such locks here
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
