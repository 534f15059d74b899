"""Answers for whether two harts do the same, step by step, and where they first do not.

A subject is a `Machine`, or anything with `step()`, which answers an object with the
fields of `effects.Effects` (or some of them), and `state()`, which answers a dict of
what it holds.  Must not know which of the two is right.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from toyisa import causes
from toyisa.fields import REG_NAMES
from toyisa.machine import Machine
from toyisa.testing.code import text

# What two steps are compared by; `csrs` is left to the state.
FIELDS = ("pc", "insn", "reg", "load", "store", "trap", "next_pc")
_OF_A_TRAP = {"pc", "trap", "next_pc"}  # nothing was executed: what the word was is no matter


class Subject(Protocol):
    """What can be compared with a `Machine`."""

    def step(self) -> Any: ...
    def state(self) -> dict[str, int]: ...


@dataclass(frozen=True)
class Divergence:
    """The first step on which two subjects differ, and the one before.

    `fields` are those of the steps that differ; `state` maps what differs afterwards
    to both values.
    """

    steps: int
    before: Any
    a: Any
    b: Any
    fields: tuple[str, ...]
    state: dict[str, tuple[int | None, int | None]]


def state_of(subject: Machine | Subject) -> dict[str, int]:
    """Registers by their ABI names, pc, priv, and CSRs; a subject's own if it is no Machine."""
    if not isinstance(subject, Machine):
        return subject.state()
    hart = subject.hart
    state = dict(zip(REG_NAMES[1:], hart.x[1:32].tolist()))
    state |= {"pc": int(hart.pc), "priv": int(hart.priv)}
    return state | dict(zip(hart.csr.dtype.names, hart.csr.item()))


def _ended(subject: Machine | Subject) -> bool:
    return bool(subject.how) if isinstance(subject, Machine) else bool(getattr(subject, "ended", 0))


def _difference(a: dict[str, int], b: dict[str, int]) -> dict[str, tuple[int | None, int | None]]:
    """What both name and do not agree on: who shows less is compared by less."""
    return {name: (a[name], b[name]) for name in a if name in b and a[name] != b[name]}


def lockstep(
    a: Machine | Subject, b: Machine | Subject, steps: int = 1000, fields: Iterable[str] = FIELDS
) -> Divergence | None:
    """Step both up to `steps` times or until one ends; where they first differ, or None.

    Compared are `fields` of what each step did, as far as both have them, and then
    the state.  A Machine ends by turning itself off, another subject by `ended`.
    """
    before = None
    for n in range(steps):
        if _ended(a) or _ended(b):
            break
        fx, fy = a.step(), b.step()
        trapped = getattr(fx, "trap", None) and getattr(fy, "trap", None)
        shown = (n for n in fields if hasattr(fx, n) and hasattr(fy, n))
        differ = tuple(
            name for name in shown
            if getattr(fx, name) != getattr(fy, name) and not (trapped and name not in _OF_A_TRAP)
        )  # fmt: skip
        state = _difference(state_of(a), state_of(b))
        if differ or state:
            return Divergence(n + 1, before, fx, fy, differ, state)
        before = fx
    if _ended(a) != _ended(b):
        return Divergence(steps, before, before, before, ("ended",), {})
    return None


def shrink_report(
    found: Divergence,
    names: tuple[str, str] = ("a", "b"),
    disassemble: Callable[[int, int], str] = text,
) -> str:
    """A divergence for people: the instruction, what each made of it, both states.

    `disassemble(word, pc)`: `asm.disasm.disassemble` knows pseudo-instructions, too.
    """
    lines = [f"step {found.steps}: {names[0]} and {names[1]} differ"]
    if found.before is not None:
        lines.append(f"  before    {_instruction(found.before, disassemble)}")
    lines.append(f"  here      {_instruction(found.a, disassemble)}")
    if "insn" in found.fields or "pc" in found.fields:
        lines.append(f"  {names[1]:9} {_instruction(found.b, disassemble)}")
    for name in found.fields:
        for who, effects in zip(names, (found.a, found.b)):
            lines.append(f"  {name:9} {who}: {_value(name, getattr(effects, name, None))}")
    for name, (x, y) in found.state.items():
        lines.append(f"  {name:9} {names[0]}: {x:#010x}   {names[1]}: {y:#010x}")
    return "\n".join(lines)


def _instruction(effects: Any, disassemble: Callable[[int, int], str]) -> str:
    pc, insn = getattr(effects, "pc", None), getattr(effects, "insn", None)
    where = "" if pc is None else f"{pc:08x}: "
    if insn is None:
        return f"{where}no instruction could be fetched"
    return f"{where}{insn:08x}  {disassemble(insn, pc or 0)}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name == "reg":
        return f"{REG_NAMES[value[0]]} = {value[1]:#010x}"
    if name == "trap":
        return f"{causes.name(value[0])}, stval {value[1]:#010x}"
    if name in ("load", "store"):
        return f"{value[2]} bytes at {value[0]:#010x}: {value[1]:#x}"
    return f"{value:#010x}" if isinstance(value, int) else str(value)


def assert_same(
    a: Machine | Subject, b: Machine | Subject, steps: int = 1000, fields: Iterable[str] = FIELDS
) -> None:
    """`lockstep`; AssertionError with the report if they differ."""
    found = lockstep(a, b, steps, fields)
    if found is not None:
        raise AssertionError(shrink_report(found))
