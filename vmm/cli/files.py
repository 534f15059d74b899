"""Answers for reading and writing the user's files: completely, or with a clear refusal."""

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import click

from toyisa.files import progress, reading, writing
from toyisa.files.reading import Unreadable
from toyisa.files.writing import Outputs, Unwritable
from vmm.cli.status import Status

MAX_FILE = 256 << 20
closed: set[int] = set()  # standard streams that were closed when the command began


class Refusal(click.ClickException):
    """The command cannot do what the user asked for; the message says why and what to do."""

    exit_code = Status.USAGE

    def show(self, file=None) -> None:
        tell(f"toyvmm: {self.format_message()}")


def read(path: Path, limit: int = MAX_FILE) -> bytes:
    """The bytes of a file; Refusal if it cannot be read, or has no end, such as /dev/zero."""
    try:
        return reading.read(path, limit)
    except Unreadable as error:
        raise Refusal(str(error)) from None


Wanted = Iterable[tuple[str, Path | None]]  # an option, and the file that it names
_outputs: Outputs | None = None  # of the command that is running


@contextlib.contextmanager
def outputs(wanted: Wanted, inputs: Iterable[Path]) -> Iterator[None]:
    """The files that the command will write; checked now, also against its inputs; Refusal.

    Their content appears by `commit`, at the end: a command that fails leaves none.
    """
    global _outputs
    with _refusing():
        made = Outputs(list(wanted), inputs)
    with made:
        _outputs = made
        try:
            yield
        finally:
            _outputs = None


def write(path: Path, data: bytes) -> None:
    """Write a file completely or not at all; Refusal if it cannot be written."""
    with _refusing():
        if _outputs is not None and path in _outputs:
            _outputs.put(path, data)
        else:
            writing.write(path, data)


def opened(path: Path) -> TextIO:
    """One of the `outputs`, to be written line by line; Refusal."""
    with _refusing():
        return io.TextIOWrapper(_outputs.open(path), encoding="utf-8")


def commit() -> None:
    """Give the `outputs` their names: call this when the command has succeeded; Refusal."""
    with _refusing():
        if _outputs is not None:
            _outputs.commit()


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Unwritable as error:
        raise Refusal(str(error)) from None


def need_stdout() -> None:
    """Refusal if stdout was closed: for commands that have no other result."""
    if 1 in closed:
        raise Refusal("cannot write to stdout: it is closed")


def tell(line: str) -> None:
    """Print a line for people on stderr; if nobody can read it, the command goes on."""
    progress.clear()
    try:
        click.echo(line, err=True)
    except OSError:
        discard(2)


def discard(stream: int) -> None:
    """Throw away what is still to be written to stdout (1) or stderr (2).

    Its reader has gone, or its disk is full, and Python would fail once more when it flushes
    the stream at exit.
    """
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
