"""Answers for source files: reading them, and removing comments from their lines.

Must not know what a statement means.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from asm.errors import AsmErrors, Place, Problem, file_error
from asm.quote import legible

MAX_SOURCE = 32 << 20  # bytes of one source file
MAX_LINE = 4 << 20  # characters of one statement
MAX_LINES = 1_000_000  # statements of one source file
MAX_PADDING = 200  # columns

# Strings and characters come first: they may contain the sign for a comment or a separator.
_SPECIAL = re.compile(
    r"""
      "(?:[^"\\\n]|\\[^\n])*"?            # a string keeps its signs
    | '(?:\\[^\n]|[^\\\n])'?              # a character: 'a or 'a'
    | /\*.*?(?:\*/|\Z)                    # a block comment
    | (?://|\#)[^\n]*                     # a comment to the end of the line
    | ;                                   # a statement separator
    """,
    re.S | re.X,
)
_SEPARATOR = "\0"


@dataclass(slots=True)
class Source:
    """One source text as statements: `lines` without comments, the line `numbers` in the file,
    and the `originals` as written, by line number.
    """

    path: str
    lines: list[str]
    numbers: list[int]
    originals: list[str] = field(repr=False)

    def place(self, number: int) -> Place:
        text = self.originals[number - 1] if 0 < number <= len(self.originals) else ""
        return Place(self.path, number, text)


def read(path: Path) -> Source:
    """Read a file, and return its statements.

    Raises AsmErrors with the file and the reason if the file cannot be a source.
    """
    return clean(str(path), read_text(path))


def read_text(path: Path) -> str:
    """The text of a source file; AsmErrors if it is not one.

    A byte that is not UTF-8 becomes a lone surrogate (PEP 383).  So it can be in a comment or
    a string, and `encode` gives the byte back.
    """
    data = read_bytes(path)
    if data[:4] == b"\x7fELF":
        raise file_error(path, "this is an ELF file, not assembly source")
    zero = data.find(0)
    if zero >= 0:
        raise file_error(path, f"this is a binary file: byte {zero} is 0")
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def encode(text: str) -> bytes:
    """The bytes from which a piece of a source was made."""
    return text.encode("utf-8", "surrogateescape")


def read_bytes(path: Path) -> bytes:
    """The contents of a file; AsmErrors if it is missing, not a regular file, or too large."""
    try:
        # Do not block: opening a named pipe would wait until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            if stat.S_ISDIR(mode):
                raise file_error(path, "this is a directory, not a file")
            if not stat.S_ISREG(mode):
                raise file_error(path, "this is not a regular file")
            data = file.read(MAX_SOURCE + 1)  # read at most this, whatever size the system reports
    except FileNotFoundError:
        raise file_error(path, "no such file") from None
    except IsADirectoryError:
        raise file_error(path, "this is a directory, not a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise file_error(path, f"cannot read it: {reason}") from None
    if data is None:
        raise file_error(path, "cannot read it: nothing is there yet")
    if len(data) > MAX_SOURCE:
        size = max(os.path.getsize(path), len(data))
        raise file_error(path, f"too large: {size} bytes; the limit is {MAX_SOURCE}")
    return data


def clean(path: str, text: str) -> Source:
    """`text` without comments, one statement in each line.

    A statement after a `;` is padded with blanks to the column that it had, so that the
    columns in errors are right; but not far, since a line may hold hundreds of statements.
    """
    if text.count("\n") + text.count(";") > 4 * MAX_LINES:  # checked before they take any memory
        raise _too_many(path)
    text = text.replace("\r\n", "\n")
    originals = legible(text).split("\n")
    opened = -1

    def replace(match: re.Match[str]) -> str:
        nonlocal opened
        token = match[0]
        if token[0] in "\"'":
            return token
        if token == ";":
            return _SEPARATOR
        if token[:2] != "/*":
            return ""
        if not token.endswith("*/") or len(token) < 4:
            opened = match.start()
        return re.sub(r"[^\n]", " ", token)

    lines = _SPECIAL.sub(replace, text).split("\n")
    if opened >= 0:
        number = text.count("\n", 0, opened) + 1
        place = Place(path, number, originals[number - 1])
        fault = Problem(place, "this comment has no end", fix="close it with `*/`", at="/*")
        raise AsmErrors([fault])
    numbers = list(range(1, len(lines) + 1))
    if any(_SEPARATOR in line for line in lines):
        lines, numbers = _separate(lines)
    if len(lines) > MAX_LINES:
        raise _too_many(path)
    longest = max(lines, key=len) if len(text) > MAX_LINE else ""
    if len(longest) > MAX_LINE:
        place = Place(path, numbers[lines.index(longest)], longest[:MAX_LINE])
        why = f"the limit is {MAX_LINE} characters"
        raise AsmErrors([Problem(place, "this statement is too long", why, "use .incbin for data")])
    return Source(path, lines, numbers, originals)


def _too_many(path: str) -> AsmErrors:
    return file_error(path, f"too long: the limit is {MAX_LINES} statements")


def _separate(lines: list[str]) -> tuple[list[str], list[int]]:
    """The lines split at separators, and the line number of each piece."""
    pieces: list[str] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        column = 0
        for piece in line.split(_SEPARATOR):
            pieces.append(" " * min(column, MAX_PADDING) + piece)
            numbers.append(number)
            column += len(piece) + 1
    return pieces, numbers
