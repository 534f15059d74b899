"""Answers for credits: what domains earn in a slice, and what they may do with what they have.

Must not know who runs when (`credit.py`).
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import IntEnum

from vmm.sched import Share

WIDE = 1 << 32  # a quotient's precision


class Priority(IntEnum):
    """Who runs first."""

    BOOST = 0
    UNDER = 1
    OVER = 2


@dataclass(slots=True)
class Credit:
    """What a domain has: the credits in cycles."""

    credit: int = 0
    priority: Priority = Priority.UNDER
    active: bool = False  # it earns credits
    parked: bool = False  # it has run more than its cap allows
    left: int = 0         # of its slice
    hart: int = -1        # where it runs
    since: int = 0        # from when on it has run there
    stopped: int = -1     # when it was last taken off a hart


def earn(
    active: Iterable[Share], runnable: Container[Share], harts: int, span: int, balance: int
) -> int:
    """Hand out the credits of so many harts for a span, by weight; returns what all have then.

    `balance` is what they had after the last time.  Nobody earns more than a hart has, or than
    its cap is.  What one cannot earn for that reason is earned by the others.
    """
    weights = sum(domain.weight for domain in active)
    owed = max(-balance, 0)  # "Converge balance towards 0 when it drops negative"
    total, balance = harts * span + owed, 0
    most = {d: _most(d, span, owed * d.weight // weights) for d in active}
    # Those that earn least for their weight come first: what they leave is the others'.
    order = sorted(most, key=lambda domain: most[domain] * WIDE // domain.weight)
    for domain in order:
        earned = min(-(-total * domain.weight // weights), most[domain])
        total, weights = total - earned, weights - domain.weight
        domain.mine.credit += earned
        _judge(domain, span, len(order) if domain in runnable else 0)
        balance += domain.mine.credit
    return balance


def _cap(domain: Share, span: int) -> int:
    return -(-domain.cap * span // 100)


def _most(domain: Share, span: int, owed: int) -> int:
    return min(span + owed, _cap(domain, span)) if domain.cap else span + owed


def _judge(domain: Share, span: int, others: int) -> None:
    """What a domain may do with its credits; `others` compete with it, if it is able to run."""
    mine: Credit = domain.mine
    if mine.credit < 0:
        mine.priority = Priority.OVER
        mine.parked |= domain.cap > 0 and mine.credit < -_cap(domain, span)
        mine.credit = max(mine.credit, -span)
        return
    mine.priority, mine.parked = min(mine.priority, Priority.UNDER), False
    if others:  # it would run, if others had not had the hart: it keeps what it has for that
        mine.credit = min(mine.credit, others * span)
    elif mine.credit > span:  # it runs less than it may, and earns again when it runs again
        mine.active = False
        mine.credit //= 2
