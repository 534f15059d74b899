"""Answers for single values in a scenario file: their syntax and their bounds.

Each reader takes a value as TOML has it, and returns what it means, or raises Wrong with what
is allowed.  Must not know which key a value belongs to.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

Reader = Callable[[Any], Any]

LONGEST = 60          # characters of something unknown that an error repeats
MAX_SECONDS = 3600    # of virtual time
MAX_OPTIONS = 32      # in one table
MAX_NAME = 40
MAX_OPTION = 10**12   # magnitude of a number in such a table
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}")
_TIME = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?(ns|us|ms|s)")
_SIZE = re.compile(r"([0-9]{1,20}) ?([KMG])(?:iB)?")
_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Wrong(ValueError):
    """A value that cannot be used; the message says what can be."""


def shown(value: object) -> str:
    """What the user wrote, for an error: in one line, shortened if it is long."""
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def hint(name: str, known: Iterable[str]) -> str:
    """The name that may have been meant, or the names that there are."""
    names = list(known)
    near = difflib.get_close_matches(name[:LONGEST], names[:1000], 1, 0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    there = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return f"there are {there}" if names else "there are none"


def whole(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Wrong(f"must be a whole number, {low} to {high}, not {shown(value)}")
        return value

    return read


def size(low: int, high: int) -> Reader:
    """Bytes: a number, or a string with a unit such as "16M"."""

    def read(value: Any) -> int:
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        number = int(found[1]) * _BYTES[found[2]] if found else value
        if type(number) is not int or not low <= number <= high:
            raise Wrong(
                f"must be a size, {low >> 20}M to {high >> 20}M, such as \"16M\", "
                f"not {shown(value)}"
            )
        return number

    return read


def duration(value: Any) -> int:
    """Nanoseconds: a string such as "5ms", "2.5us" or "1s"."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found:
        ns = int(Fraction(found[1]) * _NS[found[2]])
        if ns <= MAX_SECONDS * 10**9:
            return ns
    raise Wrong(f'must be a time up to {MAX_SECONDS}s, such as "200ms", not {shown(value)}')


def start(value: Any) -> int | None:
    """A time, or "never": only an event starts it."""
    if value == "never":
        return None
    try:
        return duration(value)
    except Wrong as error:
        raise Wrong(f'{error}; or "never": an event starts it') from None


def choice(known: Iterable[str]) -> Reader:
    """One of some names."""
    names = tuple(known)

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong(f"must be a name, not {shown(value)}; {hint('', names)}")
        if value not in names:
            raise Wrong(f"there is no {shown(value)}; {hint(value, names)}")
        return value

    return read


def text(most: int) -> Reader:
    """A string of so many characters at most."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise Wrong(f"must be a string of {most} characters at most")
        return value

    return read


def line(value: Any) -> str:
    """A string that can be shown in one line."""
    if not isinstance(value, str) or not value or len(value) > 200 or not value.isprintable():
        raise Wrong("must be one line of text, 200 characters at most")
    return value


def path(value: Any) -> str:
    """The name of a file."""
    if not isinstance(value, str) or not value or len(value) > 4096 or not value.isprintable():
        raise Wrong(f"must be the name of a file, not {shown(value)}")
    return value


def name(value: Any) -> str:
    """What a domain is called."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Wrong(
            f"must be a name of letters, digits, `_`, `-` and `.`, at most {MAX_NAME}, "
            f"not {shown(value)}"
        )
    return value


def yes_or_no(value: Any) -> bool:
    """true or false."""
    if type(value) is not bool:
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


def numbers(high: int) -> Reader:
    """An array of different whole numbers from 0 to `high`."""
    each = whole(0, high)

    def read(value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > high + 1:
            raise Wrong(f"must be an array of numbers, 0 to {high}, not {shown(value)}")
        return tuple(sorted({each(item) for item in value}))

    return read


def options(value: Any) -> dict[str, object]:
    """A table of plain values; whoever gets them checks their names and meaning."""
    if not isinstance(value, dict) or len(value) > MAX_OPTIONS:
        raise Wrong(f"must be a table of at most {MAX_OPTIONS} options")
    for key, item in value.items():
        if not key.isidentifier() or len(key) > MAX_NAME:
            raise Wrong(f"{shown(key)} is not an option's name")
        plain = type(item) in (bool, int, float) and abs(item) <= MAX_OPTION  # false for nan
        if not plain and not (isinstance(item, str) and len(item) <= MAX_NAME):
            raise Wrong(f"{key} must be a number, true, false, or a short string")
    return dict(value)
