"""Answers for how an assembly error is shown: place, line, caret, reason, fix, backtrace.

Must not know what is an error; the code that finds one raises a `Fault`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from asm.quote import columns, cut, legible, underlined, visible

MAX_SHOWN = 200  # characters in a sentence
MAX_ERRORS = 20  # the run stops then: later errors rarely say anything new
MAX_WARNINGS = 1000
MAX_COMPARED = 3000  # names that a hint is searched for in


class Fault(Exception):
    """One mistake in one statement, raised by code that does not know the statement's place.

    `at` is the piece of the source line to underline.  `fatal` ends the run, because nothing
    after it can be trusted.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "", at: str = "", fatal=False):
        super().__init__(what)
        self.what = _short(what)
        self.why = _short(why)
        self.fix = _short(fix)
        self.at = at
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file; `backtrace` says how the assembler got there, innermost first."""

    path: str
    line: int
    text: str
    backtrace: tuple[str, ...] = ()


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
        """The column of the caret, counted from 1."""
        return _span(self.place.text, self.at)[0] + 1

    def __str__(self) -> str:
        place = self.place
        what = f"{self.severity}: {visible(self.what)}"
        if not place.line:
            head = [f"{visible(place.path)}: {what}"]
        else:
            start, length = _span(place.text, self.at)
            head = [
                f"{visible(place.path)}:{place.line}:{start + 1}: {what}",
                *underlined(place.line, place.text, start, length),
            ]
        told = (("why", self.why), ("fix", self.fix))
        notes = [f"  {key}: {visible(text)}" for key, text in told if text]
        width = columns() - 2
        return "\n".join([*head, *notes, *(f"  {cut(step, width)}" for step in place.backtrace)])


class AsmErrors(Exception):
    """Every error of a run, in the order in which they were found."""

    def __init__(self, problems: list[Problem]):
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def file_error(path: object, what: str, why: str = "", fix: str = "") -> AsmErrors:
    """An error about a file as a whole."""
    return AsmErrors([Problem(Place(str(path), 0, ""), what, why, fix)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the known name closest to `name`, or nothing.

    If more than one or two slips separate the names, they have nothing to do with each other.
    """
    import difflib  # only a run that fails pays for this import

    near = difflib.get_close_matches(name, list(islice(known, MAX_COMPARED)), 3, 0.6)
    near = [other for other in near if _slips(name, other) <= max(1, len(other) // 4)]
    return f"did you mean `{near[0]}`?" if near else ""


def _slips(wrong: str, right: str) -> int:
    """How many letters must be added, removed, changed or swapped to get from one word to the
    other.
    """
    before, row = [], list(range(len(right) + 1))
    for i, letter in enumerate(wrong, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and wrong[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_SHOWN else sentence[:MAX_SHOWN] + "..."


def _span(text: str, at: str) -> tuple[int, int]:
    """Where the piece `at` is in `text`, and its length; if it is not there, the first word."""
    at = legible(at.strip())
    if at:
        whole = re.search(rf"(?<![\w.$]){re.escape(at)}(?![\w$])", text)
        start = whole.start() if whole else text.find(at)
        if start >= 0:
            return start, len(at)
    bare = len(text) - len(text.lstrip())
    return bare, max(1, len(text.strip()))
