"""Answers for the directives that choose the section of the statements that follow."""

from __future__ import annotations

import re
from functools import partial

from asm.errors import Fault
from asm.lexer import split
from asm.section import numbers_from
from asm.unit import Unit

_FLAGS = set("aewxMSGTodR?")
_TYPES = {
    "progbits": "progbits", "nobits": "nobits", "note": "note", "init_array": "progbits",
    "fini_array": "progbits", "preinit_array": "progbits", "unwind": "progbits",
}  # fmt: skip


def _switch(unit: Unit, name: str, flags: str | None = None, kind: str | None = None) -> None:
    before = unit.section
    unit.enter(name, flags, kind)
    unit.previous = before


def _named(name: str, unit: Unit, text: str) -> None:
    """`.text`, `.data`, `.bss`."""
    if text.strip() not in ("", "0"):
        fix = f"`.section {name}.later` follows all of {name}"
        raise Fault("numbered subsections are not supported", fix=fix, at=text)
    _switch(unit, name)


def _section(unit: Unit, text: str) -> None:
    """`.section name[, "flags"[, @type[, entry size][, group[, comdat]]]]`.

    A group says that one copy is enough.  There is only one source, so nothing is left out.
    """
    items = split(text)
    if not items or not items[0]:
        raise Fault("a section's name is missing")
    name = items[0].strip('"')
    if not re.fullmatch(r"[\w.$+@:/-]+", name):
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
    if old is not None and flags is not None and _effective(flags) != _effective(old.flags):
        raise Fault(f'{name} already has the flags "{old.flags}"', at=items[1])
    _switch(unit, name, flags, kind)
    if flags is not None and "M" in flags and len(items) > 3:
        unit.section.entry_size = _entry_size(unit, items[3])


def _entry_size(unit: Unit, text: str) -> int:
    size = unit.value(text, "the entry size")
    if not 0 <= size < 1 << 31:
        raise Fault(f"{size} is not the size of an entry", at=text)
    return size


def _effective(flags: str) -> set[str]:
    """Those of a section's flags that matter here."""
    return set(flags) & set("awx")


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
    section, unit.previous = unit.section_stack.pop()
    unit.go_to(section)


def _struct(unit: Unit, text: str) -> None:
    """`.struct offset`: what follows reserves no memory; its labels are plain numbers."""
    offset = unit.value(text, "the offset") if text.strip() else 0
    if not 0 <= offset < 1 << 30:
        raise Fault(f"{offset} is not the offset of a field", at=text)
    unit.previous = unit.section
    unit.go_to(numbers_from(offset))


def _previous(unit: Unit, text: str) -> None:
    back, unit.previous = unit.previous, unit.section
    unit.go_to(back)


DIRECTIVES = {
    **{name: partial(_named, name) for name in (".text", ".data", ".bss", ".rodata")},
    ".section": _section,
    ".struct": _struct,
    ".offset": _struct,
    ".pushsection": _push,
    ".popsection": _pop,
    ".previous": _previous,
}
