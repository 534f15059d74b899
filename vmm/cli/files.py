"""Answers for reading and writing the user's files: whole, or with a clear refusal."""

import contextlib
import os
from pathlib import Path

import click

from toyisa import reading, writing
from toyisa.reading import Unreadable
from toyisa.writing import Unwritable
from vmm.cli.status import Status

MAX_FILE = 256 << 20
closed: set[int] = set()  # standard streams that were closed when the command began


class Refusal(click.ClickException):
    """What the user asked for cannot be done; the message says why and what to do."""

    exit_code = Status.USAGE

    def show(self, file=None) -> None:
        tell(f"toyvmm: {self.format_message()}")


def read(path: Path, limit: int = MAX_FILE) -> bytes:
    """The bytes of a file; Refusal if it cannot be read, or goes on for ever as /dev/zero."""
    try:
        return reading.read(path, limit)
    except Unreadable as error:
        raise Refusal(str(error)) from None


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; Refusal if it cannot be written."""
    try:
        writing.write(path, data)
    except Unwritable as error:
        raise Refusal(str(error)) from None


def need_stdout() -> None:
    """Refusal if stdout was closed: for commands that have no other result."""
    if 1 in closed:
        raise Refusal("cannot write to stdout: it is closed")


def same(a: Path, b: Path) -> bool:
    """Whether two names are the same file, which exists."""
    try:
        return a.samefile(b)
    except (OSError, ValueError):
        return False


def tell(line: str) -> None:
    """A line for people to stderr; where nobody can read it, the command goes on."""
    try:
        click.echo(line, err=True)
    except OSError:
        discard(2)


def discard(stream: int) -> None:
    """Send what is still to be written to stdout (1) or stderr (2) nowhere.

    Its reader has gone, or its disk is full, and Python would fail once more when
    it flushes the stream at exit.
    """
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
