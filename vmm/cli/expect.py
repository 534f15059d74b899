"""Answers for whether a guest's console shows what it should: `--expect`, `--fail-on-panic`.

Must not know how the guest is run.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from vmm.cli.files import read

SHOWN = 40  # characters of a difference
MAX_LINE = 1 << 12  # bytes of a line that are searched for a panic

# What kernels print at the beginning of a line when they give up.  Linux's is in kernel/panic.c (a
# time stamp may stand before it); xv6 and toyix print `panic: `.
PANIC = re.compile(rb"(?:\[ *[0-9.]+\] *)?(?:Kernel panic - not syncing|panic: ).*")


class Expectation(click.ParamType):
    """`FILE|REGEX`: an existing file with exactly the console's bytes, or a pattern in them."""

    name = "file|regex"

    def convert(self, value, param, ctx) -> Exactly | Pattern:
        if not isinstance(value, str):
            return value
        try:
            if Path(value).exists() and not Path(value).is_dir():  # "." is a pattern
                return Exactly(Path(value))
        except (OSError, ValueError):
            pass  # not the name of a file: a pattern
        try:
            return Pattern(value)
        except (re.error, OverflowError, RecursionError) as error:
            self.fail(f"{value!r} is not a file, and not a regular expression: {error}", param, ctx)


class Exactly:
    """The console must be the bytes of a file.  It is compared while it is written."""

    def __init__(self, path: Path):
        self.path = path
        self._wanted = read(path)
        self._at = 0
        self._got: bytes | None = None  # from the first difference on

    def add(self, data: bytes) -> None:
        """The next bytes of the console."""
        if self._got is not None:
            self._got = (self._got + data)[:SHOWN]
            return
        piece = self._wanted[self._at : self._at + len(data)]
        if piece == data:
            self._at += len(data)
            return
        same = next((n for n, (a, b) in enumerate(zip(piece, data)) if a != b), len(piece))
        self._at += same
        self._got = data[same : same + SHOWN]

    def failure(self, _console: bytes, _truncated: bool) -> str | None:
        """Why the console is not as expected, or None."""
        if self._got is None and self._at == len(self._wanted):
            return None
        line = self._wanted.count(b"\n", 0, self._at) + 1
        column = self._at - (self._wanted.rfind(b"\n", 0, self._at) + 1) + 1
        wanted = self._wanted[self._at : self._at + SHOWN]
        return (
            f"the console is not as in {self.path}: at line {line}, column {column} it shows "
            f"{_quoted(self._got or b'')}, expected {_quoted(wanted)}"
        )


class Pattern:
    """The console must contain a match of a regular expression; `^` and `$` match at lines."""

    def __init__(self, text: str):
        self.text = text
        self._pattern = re.compile(text.encode(), re.MULTILINE)

    def add(self, data: bytes) -> None:
        """Add the next bytes of the console, which is searched at the end."""

    def failure(self, console: bytes, truncated: bool) -> str | None:
        """Why the console is not as expected, or None."""
        if self._pattern.search(console):
            return None
        part = f"first {len(console) >> 20} MiB of the " if truncated else ""
        return (
            f"the {part}console shows nothing that the regular expression {self.text!r} matches "
            "(and there is no file of that name)"
        )


class Panic:
    """Look for a kernel's panic in each line as it is written."""

    def __init__(self) -> None:
        self.found: str | None = None
        self._line = b""

    def add(self, data: bytes) -> None:
        """The next bytes of the console."""
        if self.found is not None:
            return
        *lines, self._line = (self._line + data).replace(b"\r", b"\n").split(b"\n")
        for line in (*lines, self._line):
            match = PANIC.match(line[:MAX_LINE])
            if match:
                self.found = match[0].decode("utf-8", "replace")
                return
        self._line = self._line[:MAX_LINE]

    def failure(self) -> str | None:
        """The kernel's panic message, or None."""
        return f"the kernel panicked: {self.found}" if self.found is not None else None


def _quoted(data: bytes) -> str:
    return repr(data)[1:] if data else "its end"
