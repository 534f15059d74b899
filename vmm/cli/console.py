"""Answers for where a guest's console input comes from: a terminal, a pipe, a file.

Must not know what the guest does with it (`session.py`).
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from typing import Protocol

from vmm.cli.files import tell

CHUNK = 4096
PATIENCE = 3  # seconds without input after which the user is told what the guest waits for
END_OF_INPUT = b"\x04"  # Ctrl-D, what a terminal sends when the user has no more to say


class Input(Protocol):
    """A source of console input.

    If it is `live`, no input means "no key is pressed now", and the guest's time goes on.
    Otherwise it means "nothing has arrived yet".
    """

    live: bool

    def wait(self, seconds: float | None) -> bytes | None:
        """The next bytes; b"" if none came in `seconds`, None at the end of input."""


class Stream:
    """Bytes from a file descriptor, read when the guest asks for them.

    The guest's time stands still meanwhile, because what the guest sees must not depend on
    how fast the other end is.  If nothing comes, the user is told once what the guest waits
    for.
    """

    live = False

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self.told = False

    def wait(self, seconds: float | None) -> bytes | None:
        if not self.told and not select.select([self.descriptor], [], [], PATIENCE)[0]:
            self.told = True
            tell("toyvmm: the guest waits for console input, and stdin is open but sends none "
                 "(for no input: </dev/null)")  # fmt: skip
        return os.read(self.descriptor, CHUNK) or None


class Script:
    """Bytes that are all there from the start."""

    live = False

    def __init__(self, data: bytes):
        self.data: bytes | None = data or None

    def wait(self, seconds: float | None) -> bytes | None:
        data, self.data = self.data, None
        return data


class Keyboard:
    """A terminal: each key goes to the guest as it is pressed, and the guest itself echoes it."""

    live = True

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    def wait(self, seconds: float | None) -> bytes | None:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return b""
        return os.read(self.descriptor, CHUNK) or None


@contextlib.contextmanager
def opened(script: bytes | None, *, keyboard: bool) -> Iterator[Input]:
    """Console input from a script, or from stdin, which is a keyboard if it is a terminal.

    With `keyboard` false it is never a keyboard, for runs that do not show the echo.
    """
    if script is not None:
        yield Script(script)
    elif sys.stdin is None or sys.stdin.closed:
        yield Script(b"")
    elif keyboard and sys.stdin.isatty():
        with _raw(sys.stdin.fileno()):
            yield Keyboard(sys.stdin.fileno())
    else:
        yield Stream(sys.stdin.fileno())


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Read key by key and without echo; however the run ends, the terminal is as before.

    Ctrl-C stays a signal and ends the run.  Ctrl-Z and Ctrl-\\ go to the guest, since the
    process must not stop or die with the terminal in this state.
    """
    import termios

    before = termios.tcgetattr(descriptor)
    mode = termios.tcgetattr(descriptor)
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    for key in (termios.VSUSP, termios.VQUIT):
        mode[6][key] = os.fpathconf(descriptor, "PC_VDISABLE").to_bytes(1, "little")
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    # SIGINT too: a shell starts background jobs with SIGINT ignored, and nothing else ends a run.
    wanted = {signal.SIGTERM: _leave, signal.SIGHUP: _leave}
    wanted[signal.SIGINT] = signal.default_int_handler
    handlers = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, mode)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> None:
    """Turn a deadly signal into an exit, so that `finally` restores the terminal."""
    raise SystemExit(128 + number)
