"""Answers for which policies say who runs, and what one is.

A policy is told what happens to domains, and is asked who runs next on a hart.  All times are
cycles of virtual time.  Must not know how a domain is run (`vmm/hosting`).  One of your own:
docs/howto/write-a-scheduler.md.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple, Protocol


class Share(Protocol):
    """What a policy sees of a domain; it may keep what it needs in `mine`."""

    name: str
    weight: int              # a domain of weight 2 gets twice what one of weight 1 gets
    cap: int                 # per cent of a hart that it gets at most; 0: no limit
    pins: frozenset[int]     # harts on which it may run; empty: all
    options: dict[str, Any]  # further ones, of the policy
    mine: Any                # the policy's own


class Turn(NamedTuple):
    """Who runs next, and for how many cycles at most."""

    domain: Share
    span: int


class Policy:
    """Who runs when.  `us` is how many cycles a microsecond has.

    A domain that becomes `ready` waits for its turn.  `pick` gives a hart to one that waits; it
    has the hart until it is `gone`, or is `back` among those that wait.

    The host sets `at`: at a time it calls `act` with that time, then ends the turns on the
    harts whose numbers `act` returns.  Harts that idle ask again then, too.  A host ends when
    no event is left, so a policy wants none while no domain is ready.
    """

    at: Callable[[int, Callable[[int], Iterable[int]]], None]

    def __init__(self, harts: int, us: int):
        self.harts, self.us = harts, us

    def ready(self, domain: Share, now: int, woken: bool) -> None:
        """The domain can run from now on; `woken`: it slept before, and was not just begun."""
        raise NotImplementedError

    def pick(self, hart: int, now: int) -> Turn | None:
        """Which of the domains that wait gets this hart; nobody, if none of them may."""
        raise NotImplementedError

    def ran(self, domain: Share, spent: int, now: int) -> None:
        """The domain has had its hart for so many cycles more."""

    def back(self, domain: Share, now: int) -> None:
        """The domain's turn is over, or another one takes its place; it waits again."""
        raise NotImplementedError

    def gone(self, domain: Share, now: int) -> None:
        """The domain cannot run any more: it sleeps, was paused, or has ended."""
        raise NotImplementedError

    def preempts(self, woken: Share, running: Share, now: int) -> bool:
        """Whether a domain that has just become ready takes the place of this one at once.

        It is asked only for harts on which the domain may run, and if none of those is free.
        """
        return False

    def changed(self, domain: Share, now: int) -> None:
        """The domain is new, or its weight, cap or pins are others now.

        ValueError if the policy cannot have it so.
        """

    def left(self, domain: Share, now: int) -> None:
        """The domain will never run again."""


def may_run(domain: Share, hart: int) -> bool:
    """Whether the domain's pins allow it to run on this hart."""
    return not domain.pins or hart in domain.pins


_MODULES = {name: f"vmm.sched.{name}" for name in ("rr", "bvt", "credit", "edf", "pinned")}
_REGISTERED: dict[str, Callable[..., Policy]] = {}


def register(name: str, make: Callable[..., Policy]) -> None:
    """Add a policy of your own: `make(harts, us, **options)`."""
    _REGISTERED[name] = make


def names() -> tuple[str, ...]:
    """Every policy."""
    return (*_MODULES, *_REGISTERED)


def make(name: str, harts: int, us: int, **options: Any) -> Policy:
    """The policy of that name; ValueError, also for an option that it does not have."""
    if name not in names():
        raise ValueError(f"no scheduler is called {name!r}; there are {', '.join(names())}")
    made = _REGISTERED.get(name) or import_module(_MODULES[name]).POLICY
    known = signature(made).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        for option in options:
            _refuse_unknown(name, option, [*known][2:])  # behind `harts` and `us`
    return made(harts, us, **options)


def _refuse_unknown(name: str, option: str, known: list[str]) -> None:
    if option not in known:
        near = get_close_matches(option, known, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known) or 'none'}"
        raise ValueError(f"the scheduler {name!r} has no option {option}; {hint}")
