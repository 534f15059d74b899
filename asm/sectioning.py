"""Answers for the directives that choose the section that statements go to."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from asm.errors import Fault
from asm.lexer import split

if TYPE_CHECKING:
    from asm.section import Section
    from asm.unit import Unit

_FLAGS = set("awxMSGTo?")
_TYPES = {"progbits": "progbits", "nobits": "nobits", "note": "note", "init_array": "progbits"}


def _switch(unit: Unit, name: str, flags: str | None = None, kind: str | None = None) -> None:
    before = unit.section
    unit.enter(name, flags, kind)
    unit.previous = before


def _named(name: str, unit: Unit, text: str) -> None:
    """`.text`, `.data`, `.bss`."""
    if text.strip() not in ("", "0"):
        raise Fault("numbered subsections are not supported", fix="use a section", at=text)
    _switch(unit, name)


def _section(unit: Unit, text: str) -> None:
    """`.section name[, "flags"[, @type[, entry size]]]`."""
    items = split(text)
    if not items or not items[0]:
        raise Fault("a section's name is missing")
    name = items[0].strip('"')
    if not re.fullmatch(r"[\w.$-]+", name):
        raise Fault(f"`{name}` is not a section's name", at=name)
    flags = kind = None
    if len(items) > 1:
        flags = _flags(items[1])
    if len(items) > 2:
        word = items[2].lstrip("@%").strip('"')
        kind = _TYPES.get(word)
        if kind is None:
            raise Fault(f"unknown section type `{word}`", fix="@progbits or @nobits", at=items[2])
    old = unit.sections.get(name)
    if old is not None and flags is not None and set(flags) != set(old.flags):
        raise Fault(f'{name} already has the flags "{old.flags}"', at=items[1])
    _switch(unit, name, flags, kind)


def _flags(text: str) -> str:
    flags = text.strip('"')
    wrong = set(flags) - _FLAGS
    if text[:1] != '"' or wrong:
        raise Fault(
            f"{text} are not section flags",
            why="they are a string of a (loaded), w (writable), x (code), M, S",
            at=text,
        )
    return flags


def _push(unit: Unit, text: str) -> None:
    unit.section_stack.append((unit.section, unit.previous))
    try:
        _section(unit, text)
    except Fault:
        unit.section_stack.pop()
        raise


def _pop(unit: Unit, text: str) -> None:
    if not unit.section_stack:
        raise Fault("`.popsection` without `.pushsection`")
    unit.section, unit.previous = unit.section_stack.pop()


def _previous(unit: Unit, text: str) -> None:
    back: Section = unit.previous
    unit.previous, unit.section = unit.section, back


DIRECTIVES = {
    **{name: partial(_named, name) for name in (".text", ".data", ".bss", ".rodata")},
    ".section": _section,
    ".pushsection": _push,
    ".popsection": _pop,
    ".previous": _previous,
}
