"""Answers for how an assembly error is told: place, line, caret, why, fix, trail.

Must not know what is an error; those who find one raise a `Fault`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_SHOWN = 200  # characters of a source line
MAX_ERRORS = 20  # a run stops here: later errors are seldom news


class Fault(Exception):
    """One thing wrong with one statement, found where the place is not known.

    `at` is the piece of the source line to underline; `fatal` ends the run,
    because nothing after it can be trusted.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "", at: str = "", fatal=False):
        super().__init__(what)
        self.what = what if len(what) <= MAX_SHOWN else what[:MAX_SHOWN] + "..."
        self.why = why
        self.fix = fix
        self.at = at
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file; `trail` says how assembly came there, nearest first."""

    path: str
    line: int
    text: str
    trail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One reported error or warning."""

    place: Place
    what: str
    why: str = ""
    fix: str = ""
    at: str = ""
    severity: str = "error"

    @property
    def column(self) -> int:
        """The column that the caret stands in, counted from 1."""
        return _span(self.place.text, self.at)[0] + 1

    def __str__(self) -> str:
        place = self.place
        if not place.line:
            head = [f"{place.path}: {self.severity}: {self.what}"]
        else:
            start, length = _span(place.text, self.at)
            text, before = _window(place.text, start)
            # Tabs are kept, so that the caret stands right however wide they show.
            indent = re.sub(r"[^\t]", " ", text[:before])
            caret = "^" + "~" * (min(length, len(text) - before) - 1)
            head = [
                f"{place.path}:{place.line}:{start + 1}: {self.severity}: {self.what}",
                f"{place.line:6} | {text}",
                f"       | {indent}{caret}",
            ]
        notes = [f"  {key}: {text}" for key, text in (("why", self.why), ("fix", self.fix)) if text]
        return "\n".join([*head, *notes, *(f"  {step}" for step in place.trail)])


class AsmErrors(Exception):
    """Every error of a run, in the order found."""

    def __init__(self, problems: list[Problem]):
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def file_error(path: object, what: str, why: str = "", fix: str = "") -> AsmErrors:
    """An error about a file as a whole."""
    return AsmErrors([Problem(Place(str(path), 0, ""), what, why, fix)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence that offers the known name closest to `name`, or nothing."""
    import difflib  # only a run that fails pays for it

    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def _window(text: str, start: int) -> tuple[str, int]:
    """The part of a line that is shown, and where in it column `start` lies."""
    if len(text) <= MAX_SHOWN:
        return text, start
    first = max(0, min(start - MAX_SHOWN // 2, len(text) - MAX_SHOWN))
    return text[first : first + MAX_SHOWN], start - first


def _span(text: str, at: str) -> tuple[int, int]:
    """Where in `text` the piece `at` lies, and its length; else the first word."""
    at = at.strip()
    if at:
        whole = re.search(rf"(?<![\w.$]){re.escape(at)}(?![\w$])", text)
        start = whole.start() if whole else text.find(at)
        if start >= 0:
            return start, len(at)
    bare = len(text) - len(text.lstrip())
    return bare, max(1, len(text.strip()))
