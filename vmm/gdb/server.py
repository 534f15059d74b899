"""Answers for where gdb connects: a port of this host alone, or stdin and stdout.

Must not know what gdb and the stub say to each other (`session.py`).
"""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator

from vmm.gdb.packets import Channel

HOST = "127.0.0.1"  # only the loopback address: whoever connects controls the guest


@contextlib.contextmanager
def listening(port: int, say: Callable[[str], None]) -> Iterator[Channel]:
    """The channel to the first gdb that connects to `port`; 0 takes any free one.  OSError."""
    with socket.create_server((HOST, port)) as server:
        say(f"waiting for gdb: target remote {HOST}:{server.getsockname()[1]}")
        connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Channel(connection.fileno(), connection.fileno())


@contextlib.contextmanager
def standard() -> Iterator[Channel]:
    """The channel over stdin and stdout: `target remote | toyvmm run X --gdb stdio`."""
    yield Channel(sys.stdin.fileno(), sys.stdout.fileno())
