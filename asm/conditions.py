"""Answers for `.if` and related directives: which statements are skipped.

A condition belongs to one frame: a macro or file must close what it opens.
"""

from __future__ import annotations

import re
from functools import partial

from asm.errors import Fault
from asm.frames import Condition
from asm.lexer import split, string
from asm.unit import Unit

_WORD = re.compile(r"\s*\.(if\w*|elsec?|elseif|endif|endc)(?![\w.$])(.*)", re.S | re.I)


def _open(test, unit: Unit, text: str) -> None:
    """Any `.if`: go on here if the test holds, otherwise skip."""
    condition = Condition(unit.spot(), False)
    unit.frame.conditions.append(condition)
    try:
        condition.taken = bool(test(unit, text))
    except Exception:
        condition.taken = True  # read the branch, so that one mistake gives one error
        raise
    if not condition.taken:
        _skip(unit)


def _else(unit: Unit, text: str) -> None:
    """`.else` or `.elseif` after a branch that was taken: skip to the end."""
    _innermost(unit)
    _skip(unit)


def _endif(unit: Unit, text: str) -> None:
    _innermost(unit)
    unit.frame.conditions.pop()


def _innermost(unit: Unit) -> Condition:
    if not unit.frame.conditions:
        raise Fault("there is no open .if")
    return unit.frame.conditions[-1]


def _skip(unit: Unit) -> None:
    """Skip lines until a branch of the innermost condition must be read."""
    frame, depth = unit.frame, 0
    condition = frame.conditions[-1]
    while (line := frame.take()) is not None:
        match = _WORD.match(line)
        if match is None:
            continue
        word, rest = match[1].lower(), match[2]
        if word.startswith("if"):
            depth += "." + word in _TESTS
        elif word in ("endif", "endc"):
            if not depth:
                frame.conditions.pop()
                return
            depth -= 1
        elif not depth and condition.ended:
            raise Fault(f"`.{word}` after `.else`")
        elif not depth and word in ("else", "elsec"):
            condition.ended = True
            if not condition.taken:
                condition.taken = True
                return
        elif not depth and not condition.taken and unit.value(rest, "`.elseif`"):
            condition.taken = True
            return
    # The frame has ended: it reports the conditions that are still open.


def _number(relation, unit: Unit, text: str) -> bool:
    return relation(unit.value(text, "a condition"))


def _defined(unit: Unit, text: str) -> bool:
    symbol = unit.symbols.by_name.get(text.strip())
    return symbol is not None and symbol.value is not None


def _same(unit: Unit, text: str) -> bool:
    """`.ifc a, b`: the texts are the same."""
    items = [item.strip().strip("'") for item in text.split(",", 1)]
    if len(items) != 2:
        raise Fault("expected two texts", at=text)
    return items[0] == items[1]


def _same_strings(unit: Unit, text: str) -> bool:
    items = split(text)
    if len(items) != 2:
        raise Fault("expected two strings", at=text)
    return string(items[0]) == string(items[1])


def _not(test):
    return lambda unit, text: not test(unit, text)


def _blank(unit: Unit, text: str) -> bool:
    return not text.strip()


_TESTS = {
    ".if": partial(_number, lambda value: value != 0),
    ".ifne": partial(_number, lambda value: value != 0),
    ".ifeq": partial(_number, lambda value: value == 0),
    ".ifge": partial(_number, lambda value: value >= 0),
    ".ifgt": partial(_number, lambda value: value > 0),
    ".ifle": partial(_number, lambda value: value <= 0),
    ".iflt": partial(_number, lambda value: value < 0),
    ".ifdef": _defined,
    ".ifndef": _not(_defined),
    ".ifnotdef": _not(_defined),
    ".ifc": _same,
    ".ifnc": _not(_same),
    ".ifeqs": _same_strings,
    ".ifnes": _not(_same_strings),
    ".ifb": _blank,
    ".ifnb": _not(_blank),
}

DIRECTIVES = {
    **{name: partial(_open, test) for name, test in _TESTS.items()},
    ".elseif": _else,
    ".else": _else,
    ".elsec": _else,
    ".endif": _endif,
    ".endc": _endif,
}
