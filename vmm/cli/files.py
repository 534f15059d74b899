"""Answers for reading and writing the user's files: whole, or with a clear refusal."""

import contextlib
import os
from pathlib import Path

import click

from vmm.cli.status import Status


class Refusal(click.ClickException):
    """What the user asked for cannot be done; the message says why and what to do."""

    exit_code = Status.USAGE

    def show(self, file=None) -> None:
        click.echo(f"toyvmm: {self.format_message()}", file=file, err=file is None)


def read(path: Path) -> bytes:
    """The bytes of a file; Refusal if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise Refusal(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; Refusal if it cannot be written."""
    from asm.output import write_atomically

    try:
        write_atomically(path, data)
    except (OSError, ValueError) as error:
        raise Refusal(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None


def same(a: Path, b: Path) -> bool:
    """Whether two names are the same file, which exists."""
    try:
        return a.samefile(b)
    except (OSError, ValueError):
        return False


def discard_stdout() -> None:
    """Send what is still to be written to stdout nowhere: its reader has gone.

    Otherwise Python would fail once more when it flushes stdout at exit.
    """
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
