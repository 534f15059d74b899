"""Answers for the directives that define names or set properties of them."""

from __future__ import annotations

from functools import partial

from asm.errors import Fault
from asm.expr import parse
from asm.lexer import NAME, split
from asm.section import MAX_ALIGN
from asm.symbols import Common
from asm.unit import Unit

_TYPES = {
    "function": "func",
    "object": "object",
    "notype": "notype",
    "STT_FUNC": "func",
    "STT_OBJECT": "object",
    "STT_NOTYPE": "notype",
}


def _set(once: bool, unit: Unit, text: str) -> None:
    """`.set name, expression`, `.equ`; `.equiv` refuses to define a name again."""
    name, comma, value = text.partition(",")
    if not comma:
        raise Fault("expected name, expression", at=text)
    unit.assign(name.strip(), value, once)


def _eqv(unit: Unit, text: str) -> None:
    """`.eqv name, expression`: it is read again wherever the name is used.

    RARS and its courses write constants so, there also without the comma.
    """
    name, comma, value = text.partition(",")
    if not comma:
        name, _, value = text.strip().partition(" ")
        if not value.strip():
            raise Fault("expected name, expression", at=text)
    name = name.strip()
    unit.assign(name, value, once=True)
    unit.again[name] = value


def _weakref(unit: Unit, text: str) -> None:
    """`.weakref alias, target`: the target by another name, which alone does not require it."""
    names = _names(text)
    if len(names) != 2:
        raise Fault("expected alias, target", at=text)
    target = unit.symbols.get(names[1])
    used = target.used
    unit.assign(names[0], names[1], once=True)
    target.used = used  # the alias does not use it
    unit.weak.append(target)


def bind_weak(unit: Unit) -> None:
    """What only `.weakref` names and nothing defines is a weak symbol, and so 0."""
    for symbol in unit.weak:
        if symbol.value is None and not symbol.bound and symbol.used is None:
            symbol.binding = "weak"


def _bind(binding: str, unit: Unit, text: str) -> None:
    """`.globl`, `.weak`, `.local`: how the names are bound in the ELF's symbol table."""
    for name in _names(text):
        symbol = unit.symbols.get(name)
        symbol.binding, symbol.bound = binding, True


def _show(visibility: int, unit: Unit, text: str) -> None:
    """`.hidden` and related ones: who would see the names if this were a shared object."""
    for name in _names(text):
        unit.symbols.get(name).visibility = visibility


def _type(unit: Unit, text: str) -> None:
    """`.type name, @function`."""
    items = split(text)
    if len(items) != 2:
        raise Fault("expected name, @type", at=text)
    word = items[1].lstrip("@%#").strip('"')
    if word not in _TYPES:
        raise Fault(f"unknown symbol type `{word}`", fix="@function or @object", at=items[1])
    _names(items[0])
    unit.symbols.get(items[0]).type = _TYPES[word]


def _size(unit: Unit, text: str) -> None:
    """`.size name, expression`."""
    items = split(text)
    if len(items) != 2:
        raise Fault("expected name, size", at=text)
    _names(items[0])
    unit.symbols.get(items[0]).size = parse(items[1], unit)


def _common(local: bool, unit: Unit, text: str) -> None:
    """`.comm name, size[, alignment]`, `.lcomm`: room in .bss, at the end of the program.

    Local names come first.  A global name may be given several times.
    """
    items = split(text)
    if not 2 <= len(items) <= 3:
        raise Fault("expected name, size[, alignment]", at=text)
    name = _names(items[0])[0]
    size = unit.value(items[1], "the size")
    symbol = unit.symbols.get(name)
    local = local or (symbol.bound and symbol.binding == "local")
    # "aligned ... to the largest power of two less than or equal to the size", up to a limit
    align = 1 << min(max(size, 1).bit_length() - 1, 3 if local else 4)
    if len(items) > 2:
        align = unit.value(items[2], "the alignment")
    if size < 0 or align < 1 or align & (align - 1):
        raise Fault("expected a size and a power of two", at=text)
    if align > MAX_ALIGN:
        raise Fault(f"an alignment of {align} bytes", why=f"the limit is {MAX_ALIGN}", at=items[2])
    symbol.type = "object"
    if not symbol.bound:
        symbol.binding = "local" if local else "global"
    old = unit.commons.get(name)
    if symbol.value is not None or (old is not None and local):
        raise unit.symbols.defined_twice(symbol)
    if old is not None:
        size, align = max(size, old.size), max(align, old.align)
    unit.commons[name] = Common(size, align, unit.spot(), local)


def lay_commons(unit: Unit) -> None:
    """Give all common names their room."""
    for name, common in sorted(unit.commons.items(), key=lambda item: not item[1].local):
        try:
            _reserve(unit, name, common)
        except Fault as fault:
            unit.report(fault, common.spot)


def _reserve(unit: Unit, name: str, common: Common) -> None:
    bss = unit.enter(".bss")
    bss.fill(-bss.size % common.align)
    bss.align = max(bss.align, common.align)
    unit.symbols.label(name, unit.here(), common.spot)
    unit.symbols.get(name).size = common.size
    bss.fill(common.size)


def _names(text: str) -> list[str]:
    names = split(text)
    for name in names:
        if not NAME.match(name):
            raise Fault(f"`{name}` cannot be a name", at=name)
    if not names:
        raise Fault("a name is missing")
    return names


DIRECTIVES = {
    ".set": partial(_set, False),
    ".equ": partial(_set, False),
    ".equiv": partial(_set, True),
    ".eqv": _eqv,
    ".weakref": _weakref,
    ".globl": partial(_bind, "global"),
    ".global": partial(_bind, "global"),
    ".xdef": partial(_bind, "global"),
    ".weak": partial(_bind, "weak"),
    ".local": partial(_bind, "local"),
    ".internal": partial(_show, 1),
    ".hidden": partial(_show, 2),
    ".protected": partial(_show, 3),
    ".type": _type,
    ".size": _size,
    ".comm": partial(_common, False),
    ".common": partial(_common, False),
    ".common.s": partial(_common, False),
    ".lcomm": partial(_common, True),
}
