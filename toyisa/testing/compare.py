"""Answers for whether two harts do the same, step by step, and where they first do not.

A subject is a `Machine`, or anything with

    step()    returns an object with the fields of `effects.Effects`, or some of them
    state()   returns a dict of what it holds: `STATE` or some of it
    ended     whether it has turned itself off; without it, this is not compared
    beyond    optional: why it cannot do what the step was to do, else ""

Must not know which of the two is right.
"""

from collections.abc import Iterable
from dataclasses import fields as fields_of
from typing import Any, Protocol

from toyisa.core.state import CSR_FIELDS
from toyisa.look.effects import Effects
from toyisa.machine import Machine
from toyisa.tables.fields import REG_NAMES
from toyisa.testing.report import Divergence, shrink_report

# By default two steps are compared by these; `csrs` and `priv` are compared as parts of the state.
FIELDS = ("pc", "insn", "reg", "load", "store", "trap", "next_pc")
ALL_FIELDS = tuple(field.name for field in fields_of(Effects))
STATE = (*REG_NAMES[1:], "pc", "priv", *CSR_FIELDS)
_KNOWN = frozenset(STATE)
_OF_A_TRAP = {"pc", "trap", "next_pc"}  # nothing was executed, so the word does not matter


class Subject(Protocol):
    """What can be compared with a `Machine`; it may also have `ended`."""

    def step(self) -> Any: ...
    def state(self) -> dict[str, int]: ...


def state_of(subject: Machine | Subject) -> dict[str, int]:
    """Registers by their ABI names, pc, priv, and CSRs; or the subject's own state if it is no
    Machine.
    """
    if not isinstance(subject, Machine):
        return subject.state()
    hart = subject.hart
    state = dict(zip(REG_NAMES[1:], hart.x[1:32].tolist()))
    state |= {"pc": int(hart.pc), "priv": int(hart.priv)}
    return state | dict(zip(hart.csr.dtype.names, hart.csr.item()))


def _shown(who: str, subject: Machine | Subject) -> dict[str, int]:
    """Its state; every name in it must be known."""
    state = state_of(subject)
    if unknown := [name for name in state if name not in _KNOWN]:
        raise ValueError(f"state() of {who}: {_unknown(unknown, STATE)}")
    return state


def _unknown(names: list[str], known: tuple[str, ...]) -> str:
    return f"there is no {', '.join(map(repr, names))}; there are {' '.join(known)}"


def _ended(subject: Machine | Subject) -> bool | None:
    """Whether it has turned itself off; None if it does not say."""
    if isinstance(subject, Machine):
        return bool(subject.how)
    told = getattr(subject, "ended", None)
    return None if told is None else bool(told)


def _ready(who: str, subject: Machine | Subject) -> None:
    """ValueError if it has nothing to run: two such subjects would seem to be the same."""
    if _ended(subject):
        raise ValueError(f"{who} has ended before the first step")
    if isinstance(subject, Machine) and not (subject.hart.pc or subject.hart.csr.satp):
        raise ValueError(f"nothing is loaded into {who}")


def _same(x: Any, y: Any) -> bool:
    """Whether two fields are equal; a list may stand for a tuple."""
    x, y = (tuple(value) if isinstance(value, list) else value for value in (x, y))
    return x == y


def _compared(fx: Any, fy: Any, fields: tuple[str, ...]) -> list[str]:
    """The fields that both steps have; TypeError if there are none."""
    for who, effects in (("a", fx), ("b", fy)):
        if fields and not any(hasattr(effects, name) for name in fields):
            raise TypeError(
                f"step() of {who} answered {type(effects).__name__}, without any of the compared "
                f"fields: it must answer an object with some of {' '.join(fields)}"
            )
    shown = [name for name in fields if hasattr(fx, name) and hasattr(fy, name)]
    if fields and not shown:
        raise TypeError(f"the steps of a and b have none in common of {' '.join(fields)}")
    return shown


def _differing(fx: Any, fy: Any, shown: list[str]) -> tuple[str, ...]:
    """Those of the fields that differ in two steps."""
    if getattr(fx, "trap", None) and getattr(fy, "trap", None):
        shown = [name for name in shown if name in _OF_A_TRAP]
    return tuple(name for name in shown if not _same(getattr(fx, name), getattr(fy, name)))


def lockstep(
    a: Machine | Subject, b: Machine | Subject, steps: int = 1000, fields: Iterable[str] = FIELDS
) -> Divergence | None:
    """Step both up to `steps` times or until one ends; return where they first differ, or None.

    It compares `fields` of what each step did (any of `effects.Effects`), if both have them;
    then the state, as far as both show it; then whether they have ended: a Machine by turning
    itself off, another subject by `ended`, if it has that. With no fields, `()`, it compares
    only the state.  If one cannot do a step, as it says in `beyond`, nothing more is
    compared.

    ValueError if a field or a name in a state is not known, a Machine has nothing loaded, or
    one has ended before; TypeError if there is nothing to compare steps by.
    """
    fields = (fields,) if isinstance(fields, str) else tuple(fields)
    if unknown := [name for name in fields if name not in ALL_FIELDS]:
        raise ValueError(f"fields: {_unknown(unknown, ALL_FIELDS)}")
    _ready("a", a)
    _ready("b", b)
    before = None
    for n in range(1, steps + 1):
        fx, fy = a.step(), b.step()
        if getattr(a, "beyond", "") or getattr(b, "beyond", ""):
            return None
        shown, x, y = _compared(fx, fy, fields), _shown("a", a), _shown("b", b)
        common = [name for name in x if name in y]
        if not shown and not common:
            raise ValueError("no fields, and no name that both states have: nothing is compared")
        differ = _differing(fx, fy, shown)
        state = {name: (x[name], y[name]) for name in common if x[name] != y[name]}
        ended = _ended(a), _ended(b)
        if None not in ended and ended[0] != ended[1]:
            state["ended"] = ended
        if differ or state:
            return Divergence(n, before, fx, fy, differ, state)
        if any(ended):
            return None
        before = fx if hasattr(fx, "insn") else fy
    return None


def assert_same(
    a: Machine | Subject, b: Machine | Subject, steps: int = 1000, fields: Iterable[str] = FIELDS
) -> None:
    """`lockstep`; AssertionError with the report if they differ."""
    found = lockstep(a, b, steps, fields)
    if found is not None:
        raise AssertionError(shrink_report(found))
