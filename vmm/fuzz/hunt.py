"""Answers for one chunk of a campaign: a number of cases from one seed, and a shrunk failure.

Hypothesis makes and shrinks the cases; the same law, engine, seed and chunk give the same
cases. Must not know of other chunks.
"""

import hashlib
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings

from vmm.fuzz.case import Case, as_violation
from vmm.fuzz.corpus import Failure
from vmm.fuzz.laws import Law
from vmm.fuzz.seen import Seen

CHUNK = 100  # cases
SHRINKING = 10.0
SETTINGS = settings(
    max_examples=CHUNK, database=None, deadline=None, print_blob=False,
    phases=[Phase.generate, Phase.target, Phase.shrink], suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet, report_multiple_bugs=False,
)  # fmt: skip


class Stop(BaseException):
    """Time is up, or the user has had enough; the case has not failed."""


def hunt(
    law: Law, engine: str, seed: int, chunk: int, seen: Seen, before: Callable[[Case], None]
) -> tuple[Failure | None, bool]:
    """Try a chunk of cases; return the smallest failure, and whether the chunk was run
    completely.

    `before` sees each case, and may raise Stop.  If a case is being shrunk then, that gets
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
            told = as_violation(error)
            failure = Failure(law.name, engine, case, told.expected, told.actual, seed, chunk)
            if not smallest or case.size <= smallest[0].case.size:
                smallest[:] = [failure]
            traceback.clear_frames(error.__traceback__)  # Hypothesis keeps each error, and so
            raise                                        # would keep each machine in its frames

    text = f"{law.name} {engine} {seed} {chunk}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    test = hypothesis.seed(number)(SETTINGS(hypothesis.given(law.cases(engine))(attempt)))
    whole = True
    try:
        test()
    except Stop:
        whole = False
    except Exception:
        if not smallest:  # no case was the reason
            raise
    if not smallest:
        return None, whole
    return replace(smallest[0], where=_where(law, smallest[0].case)), whole


def _where(law: Law, case: Case) -> str:
    """What the law can find out; a case fails even if it cannot be run in single steps."""
    try:
        return law.where(case)
    except Exception as error:
        return f"not told: {type(error).__name__}: {error}"
