"""Answers for one chunk of a campaign: so many cases from one number, a failure shrunk.

Hypothesis draws and shrinks; the same law, engine, seed and chunk draw the same cases.
Must not know of other chunks.
"""

import hashlib
import time
from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings

from vmm.fuzz.case import Case, Violation
from vmm.fuzz.corpus import Failure
from vmm.fuzz.laws import Law
from vmm.fuzz.seen import Seen

CHUNK = 100  # cases
SHRINKING = 10.0
SETTINGS = settings(
    max_examples=CHUNK, database=None, deadline=None, print_blob=False,
    phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet, report_multiple_bugs=False,
)  # fmt: skip


class Stop(BaseException):
    """Time is up, or the user has had enough: not a failure of the case."""


def hunt(
    law: Law, engine: str, seed: int, chunk: int, seen: Seen, before: Callable[[Case], None]
) -> tuple[Failure | None, bool]:
    """Try a chunk of cases: the smallest failure found, and whether the chunk was run whole.

    `before` sees each case, and may raise Stop; shrinking that is under way then has
    SHRINKING seconds more, and ends where it is.
    """
    smallest: list[Failure] = []
    limit = 0.0

    def attempt(case: Case) -> None:
        nonlocal limit
        try:
            before(case)
        except Stop:
            limit = limit or time.monotonic() + (SHRINKING if smallest else 0)
            if time.monotonic() >= limit:
                raise
        try:
            law.check(case, seen)
        except Exception as error:
            _keep(smallest, Failure(law.name, engine, case, *_told(error), seed, chunk))
            raise

    text = f"{law.name} {engine} {seed} {chunk}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    test = hypothesis.seed(number)(SETTINGS(hypothesis.given(law.cases(engine))(attempt)))
    try:
        test()
    except Stop:
        return (smallest[0] if smallest else None), False
    except Exception:
        if not smallest:  # no case's doing
            raise
    return (smallest[0] if smallest else None), True


def _keep(smallest: list[Failure], failure: Failure) -> None:
    if not smallest or failure.case.size <= smallest[0].case.size:
        smallest[:] = [failure]


def _told(error: Exception) -> tuple[object, object]:
    if isinstance(error, Violation):
        return error.expected, error.actual
    return "no error in Python", f"{type(error).__name__}: {error}"
