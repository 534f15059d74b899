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
    """Write a file whole or not at all; Refusal if it cannot be written.

    The bytes go to a file beside it which then takes its name.  What is not a
    regular file, such as /dev/null, is written in place.
    """
    import tempfile  # 10 ms that only writing pays

    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = path.resolve()  # a link stays a link
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(partial, 0o666 & ~_umask())
            os.replace(partial, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise
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


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
