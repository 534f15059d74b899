"""Answers for `.file` and `.loc`: a compiler says which source line its code comes from."""

from __future__ import annotations

from asm.errors import Fault
from asm.lexer import NAME, split, string
from asm.linetable import Row
from asm.quote import legible
from asm.unit import Unit

MAX_FILES = 10_000


def _file(unit: Unit, text: str) -> None:
    """`.file "name"` is ignored.  `.file number ["directory"] "name" [md5 digest]` names a file."""
    if text[:1] == '"' or not text:
        return
    number, _, rest = text.partition(" ")
    value = unit.value(number, "the file's number")
    if not 0 <= value < MAX_FILES:
        why = f"the limit is {MAX_FILES}"
        raise Fault(f"{value} is not the number of a file", why=why, at=number)
    names = _quoted(rest.strip())
    if not 1 <= len(names) <= 2:
        raise Fault('expected number ["directory"] "name"', at=text)
    unit.loc.files[value] = (names[0] if len(names) > 1 else "", names[-1])


def _quoted(text: str) -> list[str]:
    """The strings at the beginning of a text."""
    names = []
    while text[:1] == '"':
        end = 1
        while end < len(text) and text[end] != '"':
            end += 1 + (text[end] == "\\")
        names.append(legible(string(text[: end + 1]).decode("utf-8", "surrogateescape")))
        text = text[end + 1 :].lstrip()
    return names


def _loc(unit: Unit, text: str) -> None:
    """`.loc file line [column] [is_stmt value] [view name] ...`."""
    words = text.split()
    numbers: list[int] = []
    while words and len(numbers) < 3 and not NAME.match(words[0]):
        numbers.append(unit.value(words.pop(0), "`.loc`"))
    if len(numbers) < 2:
        raise Fault("expected file line [column]", at=text)
    file, line, column = (*numbers, 0)[:3]
    if file not in unit.loc.files:
        raise Fault(f"there is no `.file {file}`", at=text)
    if not 0 <= line < 1 << 31 or not 0 <= column < 1 << 31:
        raise Fault("a line or column of no source", at=text)
    view = ""
    while words:
        word = words.pop(0)
        if word in ("basic_block", "prologue_end", "epilogue_begin"):
            continue
        if word not in ("is_stmt", "isa", "discriminator", "view") or not words:
            raise Fault(f"unknown option `{word}` of .loc", at=word)
        value = words.pop(0)
        if word == "is_stmt":
            unit.loc.statement = unit.value(value, "is_stmt") != 0
        elif word == "view":
            view = value
    section = unit.section
    unit.loc.add(Row(section, section.size, file, line, column, unit.loc.statement))
    if NAME.match(view):
        unit.assign(view, str(unit.loc.views))
    elif view.startswith("-"):
        unit.loc.views = 0


def _view_labels(unit: Unit, text: str) -> None:
    """`.loc_mark_labels`: asks for rows for labels; we make none."""
    if len(split(text)) != 1:
        raise Fault("expected 0 or 1", at=text)


DIRECTIVES = {".file": _file, ".loc": _loc, ".loc_mark_labels": _view_labels}
