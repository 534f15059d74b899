"""Answers for what a person reads about the first step on which two harts differ.

A value is printed in the way of its field if it has the right shape, otherwise as it is:
there must be a report whatever a subject returns.  Must not know how they were compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toyisa.tables import causes
from toyisa.tables.fields import REG_NAMES
from toyisa.testing.code import text

# The errors for a value that does not have the shape of its field.
_ODD = (TypeError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True)
class Divergence:
    """The first step on which two subjects differ, and the step before.

    `steps` counts from 1.  `a`, `b` and `before` are what `step` returned.  `fields` are
    those of the steps that differ.  `state` maps what differs afterwards to both values:
    registers, CSRs, and `ended` if one has ended and the other has not.
    """

    steps: int
    before: Any
    a: Any
    b: Any
    fields: tuple[str, ...]
    state: dict[str, tuple[Any, Any]]


def shrink_report(
    found: Divergence,
    names: tuple[str, str] = ("a", "b"),
    disassemble: Callable[[int, int], str] = text,
) -> str:
    """A divergence for people: the instruction, what each did, both states.

    `disassemble(word, pc)`: `asm.disasm.disassemble` also knows pseudo-instructions.
    """
    lines = [f"step {found.steps}: {names[0]} and {names[1]} differ"]
    if found.before is not None:
        lines.append(f"  before    {_instruction(found.before, disassemble)}")
    here = found.a if hasattr(found.a, "insn") else found.b
    lines.append(f"  here      {_instruction(here, disassemble)}")
    if "insn" in found.fields or "pc" in found.fields:
        lines.append(f"  {names[1]:9} {_instruction(found.b, disassemble)}")
    for name in found.fields:
        both = [getattr(effects, name, None) for effects in (found.a, found.b)]
        for who, told in zip(names, _apart(name, *both)):
            lines.append(f"  {name:9} {who}: {told}")
    for name, values in found.state.items():
        if name == "ended":
            first, other = names if values[0] else names[::-1]
            lines.append(f"  ended     {first} has ended, {other} goes on")
            continue
        told = _apart(name, *values)
        lines.append(f"  {name:9} {names[0]}: {told[0]}   {names[1]}: {told[1]}")
    return "\n".join(lines)


def _instruction(effects: Any, disassemble: Callable[[int, int], str]) -> str:
    pc, insn = getattr(effects, "pc", None), getattr(effects, "insn", None)
    try:
        where = "" if pc is None else f"{pc:08x}: "
    except _ODD:
        where = f"{pc!r}: "
    if insn is None:
        return f"{where}no instruction could be fetched"
    try:
        return f"{where}{insn:08x}  {disassemble(insn, pc or 0)}"
    except _ODD:
        return f"{where}{insn!r}"


def _apart(name: str, x: Any, y: Any) -> tuple[str, str]:
    """Two values that differ, as texts that differ."""
    told = _value(name, x), _value(name, y)
    return told if told[0] != told[1] else (repr(x), repr(y))


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    try:
        return _shaped(name, value)
    except _ODD:
        return repr(value)


def _shaped(name: str, value: Any) -> str:
    if name == "reg":
        number, new = value
        return f"{REG_NAMES[number]} = {new:#010x}"
    if name == "trap":
        scause, stval = value
        return f"{causes.name(scause)}, stval {stval:#010x}"
    if name in ("load", "store"):
        address, new, size = value
        return f"{size} bytes at {address:#010x}: {new:#x}"
    return f"{value:#010x}"
