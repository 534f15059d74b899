"""Answers for macros and repetitions: collecting bodies, putting arguments in.

Text in, text out; must not know what the statements of a body mean.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from asm.arguments import argument, arguments
from asm.errors import Fault
from asm.frames import Frame
from asm.limits import MAX_REPEATED
from asm.source import Source
from asm.unit import Unit

MAX_EXPANDED = 1 << 20  # characters that one expansion may have

_PARAMETER = re.compile(
    r'\s*,?\s*([A-Za-z_.$][\w.$]*)\s*(?::\s*(\w+)\s*)?(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,]*))?'
)
_MARK = re.compile(r"\\(?:(@)|(\(\))|([A-Za-z_.$][\w.$]*))")
_WORD = re.compile(
    r"\s*(?:[\w.$]+\s*:\s*)?\.(macro|endm|endmacro|rept|rep|irpc?|irepc?|endr)\b(?!\s*:)", re.I
)
_NAMED = re.compile(r"([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*")
_REPEATS = ("rept", "rep", "irp", "irpc", "irep", "irepc")


@dataclass(slots=True, eq=False)
class Parameter:
    """A macro's parameter; `kind` is "", `req` or `vararg`."""

    name: str
    kind: str
    default: str


@dataclass(slots=True, eq=False)
class Macro:
    """A macro, and the source in which it was written."""

    name: str
    parameters: list[Parameter]
    body: str
    numbers: list[int]
    source: Source

    def expand(self, unit: Unit, text: str) -> None:
        """Make the body, with the arguments in `text` put in, the next statements."""
        values = self._bind(text)
        text = substituted(self.body, values, unit.budget.expansions)
        unit.budget.expand(len(text), 1)
        lines = text.split("\n")
        source = Source(self.source.path, lines, self.numbers, self.source.originals)
        unit.push(Frame(source, unit.spot(), f"in macro `{self.name}`, used", True, True))

    def _bind(self, text: str) -> dict[str, str]:
        """Which argument each parameter has: name -> argument."""
        values: dict[str, str] = {}
        names = {parameter.name for parameter in self.parameters}
        variable = bool(self.parameters) and self.parameters[-1].kind == "vararg"
        queue = deque(self.parameters)
        text, at = text.strip(), 0
        while at < len(text):
            named = _NAMED.match(text, at)
            if named and named[1] in names:
                queue = deque(p for p in queue if p.name != named[1])
                values[named[1]], at = argument(text, named.end())
                continue
            if variable and len(queue) == 1:
                values[queue.pop().name] = text[at:]
                break
            if not queue:
                count = len(self.parameters)
                raise Fault(f"macro `{self.name}` takes {count} arguments", at=text[at:])
            values[queue.popleft().name], at = argument(text, at)
        for parameter in self.parameters:
            if not values.get(parameter.name):
                if parameter.kind == "req":
                    raise Fault(f"macro `{self.name}` needs a value for `{parameter.name}`")
                values[parameter.name] = parameter.default
        return values


def substituted(body: str, values: dict[str, str], count: int) -> str:
    """A body with `\\name`, `\\@` (`count`: how many macros were used before) and `\\()`
    replaced.
    """
    left = MAX_EXPANDED - len(body)

    def replace(match: re.Match[str]) -> str:
        nonlocal left
        if match[1]:
            return str(count)
        if match[2]:
            return ""
        value = values.get(match[3])
        if value is None:
            return match[0]
        left -= len(value)
        if left < 0:  # checked before the text is made, which may have any size
            raise _too_much()
        return value

    if left < 0:
        raise _too_much()
    return _MARK.sub(replace, body) if "\\" in body else body


def _too_much() -> Fault:
    return Fault(
        "a macro expands to too much text", why=f"the limit is {MAX_EXPANDED}", fatal=True
    )


def _collect(unit: Unit, opens: tuple[str, ...], closes: tuple[str, ...]) -> tuple[list, list]:
    """The lines up to the matching end, and their numbers."""
    frame = unit.frame
    start = unit.spot()
    lines: list[str] = []
    numbers: list[int] = []
    depth = 0
    while (line := frame.take()) is not None:
        match = _WORD.match(line)
        if match is not None:
            word = match[1].lower()
            if word in opens:
                depth += 1
            elif word in closes:
                if not depth:
                    return lines, numbers
                depth -= 1
        lines.append(line)
        numbers.append(frame.source.numbers[frame.index])
    frame.index = start.index
    raise Fault(f"this has no .{closes[0]}", fatal=True)


def _macro(unit: Unit, text: str) -> None:
    """`.macro name parameters`, up to `.endm`."""
    lines, numbers = _collect(unit, ("macro",), ("endm", "endmacro"))
    match = re.match(r"([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)", text, re.S)
    if match is None:
        raise Fault("a macro's name is missing", at=text)
    name = match[1]
    if name.lower() in unit.macros:
        raise Fault(f"macro `{name}` is already defined", fix="`.purgem` forgets it", at=name)
    parameters = _parameters(match[2].strip())
    source = unit.frame.source
    unit.macros[name.lower()] = Macro(name, parameters, "\n".join(lines), numbers, source)
    unit.known.clear()  # a line that was known may now mean this macro


def _parameters(text: str) -> list[Parameter]:
    found: list[Parameter] = []
    names: set[str] = set()
    at = 0
    text = text.removeprefix("(").removesuffix(")")
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise Fault(f"`{text[at:].strip()}` is not a parameter", at=text[at:])
        name, kind, default = match[1], match[2] or "", match[3] or ""
        if kind not in ("", "req", "vararg"):
            raise Fault(f"unknown qualifier `{kind}`", fix="there are req and vararg", at=kind)
        if name in names:
            raise Fault(f"parameter `{name}` twice", at=name)
        names.add(name)
        if found and found[-1].kind == "vararg":
            raise Fault("a vararg parameter must be the last", at=found[-1].name)
        found.append(Parameter(name, kind, default.strip('"')))
        at = match.end()
    return found


def _repeat(unit: Unit, text: str) -> None:
    """`.rept count`, up to `.endr`."""
    start = unit.spot()
    lines, numbers = _collect(unit, _REPEATS, ("endr",))
    try:
        count = unit.value(text, "`.rept`") if text.strip() else 0
        if count < 0:
            raise Fault(f"a count below 0: {count}", why="nothing is repeated", at=text)
        _limit(count * len(lines))
    except Fault as fault:
        unit.report(fault, start)
        return
    if lines and count:
        _push_copies(unit, ".rept", lines * count, numbers * count)


def _for_each(unit: Unit, text: str) -> None:
    """`.irp name, values`, up to `.endr`."""
    name, values = _loop(text)
    _substituted(unit, ".irp", name, arguments(values) or [""])


def _for_each_character(unit: Unit, text: str) -> None:
    """`.irpc name, characters`, up to `.endr`."""
    name, values = _loop(text)
    values = values.strip()
    if len(values) > 1 and values[0] == values[-1] == '"':
        values = values[1:-1]
    _substituted(unit, ".irpc", name, list(values) or [""])


def _loop(text: str) -> tuple[str, str]:
    match = re.match(r"\s*([A-Za-z_.$][\w.$]*)\s*,?(.*)", text, re.S)
    if match is None:
        raise Fault("a name is missing", at=text)
    return match[1], match[2]


def _substituted(unit: Unit, directive: str, name: str, values: list[str]) -> None:
    lines, numbers = _collect(unit, _REPEATS, ("endr",))
    _limit(len(values) * len(lines))
    if not lines:
        return
    body = "\n".join(lines)
    copies: list[str] = []
    for value in values:
        text = substituted(body, {name: value}, unit.budget.expansions)
        unit.budget.expand(len(text))
        copies += text.split("\n")
    _push_copies(unit, directive, copies, numbers * len(values))


def _push_copies(unit: Unit, directive: str, lines: list[str], numbers: list[int]) -> None:
    frame = unit.frame
    source = Source(frame.source.path, lines, numbers, frame.source.originals)
    unit.push(Frame(source, unit.spot(), f"in {directive}", frame.expands))


def _limit(statements: int) -> None:
    if statements > MAX_REPEATED:
        why = f"the limit is {MAX_REPEATED}"
        raise Fault(f"this repeats to {statements} statements", why=why, fatal=True)


def _exit(unit: Unit, text: str) -> None:
    """`.exitm`: leave the current macro."""
    frame = unit.frame
    while not frame.leaves:
        if frame.parent is None:
            raise Fault("`.exitm` outside a macro")
        frame = frame.parent.frame
    unit.frame = frame.parent.frame


def _purge(unit: Unit, text: str) -> None:
    """`.purgem name`."""
    if unit.macros.pop(text.strip().lower(), None) is None:
        raise Fault(f"there is no macro `{text.strip()}`", at=text)
    unit.known.clear()


def _stray(unit: Unit, text: str) -> None:
    raise Fault("nothing is open that this could end")


DIRECTIVES = {
    ".macro": _macro,
    ".rept": _repeat,
    ".irp": _for_each,
    ".irpc": _for_each_character,
    ".rep": _repeat,
    ".irep": _for_each,
    ".irepc": _for_each_character,
    ".exitm": _exit,
    ".purgem": _purge,
    ".endm": _stray,
    ".endmacro": _stray,
    ".endr": _stray,
}
