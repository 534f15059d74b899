"""Answers for the directives that put data, reserved bytes or padding into a section."""

from __future__ import annotations

import re
import struct
from functools import partial

from asm.errors import Fault
from asm.expr import parse
from asm.fixups import Kind, leb128
from asm.lexer import split, string
from asm.operands import is_register
from asm.section import MAX_ALIGN, MAX_IMAGE
from asm.symbols import Address
from asm.unit import Unit
from toyisa.tables.insns import BY_NAME

_NOP = BY_NAME["addi"].encode(0, 0, 0).to_bytes(4, "little")
_FLOAT = re.compile(
    r"(?:0[a-zA-Z])?([-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?))", re.I
)


def _values(size: int, unit: Unit, text: str) -> None:
    """`.byte`, `.half`, `.word`, `.dword`: values of `size` bytes."""
    unit.mark()
    for item in split(text):
        if item[:1] == '"':
            raise Fault("a string is not a number", fix="use .ascii or .asciz", at=item)
        if is_register(item):
            raise Fault("expected a value, not a register", at=item)
        value = parse(item, unit)
        if isinstance(value, int):
            if not -(1 << 8 * size - 1) <= value < 1 << 8 * size:
                kept = value & ((1 << 8 * size) - 1)
                unit.warn(f"{value:#x} is cut to {kept:#x}: it takes more than {size} bytes", item)
            unit.section.append((value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
            continue
        _no_contents(unit, item)
        unit.fix(Kind.DATA, value, item, None, size)
        unit.section.append(bytes(size))


def _no_contents(unit: Unit, item: str) -> None:
    """In a section that has no bytes, refuse anything that is not known to be zero."""
    if unit.section.type == "nobits":
        raise Fault(f"{unit.section.name} can hold only zeros", fix="use .data", at=item)


def _octa(unit: Unit, text: str) -> None:
    """`.octa`: numbers of 16 bytes."""
    unit.mark()
    for item in split(text):
        value = parse(item, unit)
        if not isinstance(value, int):
            raise Fault("`.octa` takes numbers, no addresses", at=item)
        if not -(1 << 127) <= value < 1 << 128:
            raise Fault("this number takes more than 16 bytes", at=item)
        unit.section.append((value & (1 << 128) - 1).to_bytes(16, "little"))


def _float(code: str, unit: Unit, text: str) -> None:
    """`.float`, `.double`: the bits of floating-point numbers, for programs that compute with
    them.
    """
    unit.mark()
    for item in split(text):
        try:
            value = float(_FLOAT.fullmatch(item)[1])
            unit.section.append(struct.pack(code, value))
        except (TypeError, ValueError, OverflowError):
            raise Fault(f"`{item}` is no number for .float or .double", at=item) from None


def _wide_strings(width: int, unit: Unit, text: str) -> None:
    """`.string16` and related ones: each byte is widened, and a zero of that width is added."""
    unit.mark()
    for item in split(text):
        data = string(item) + b"\0"
        unit.section.append(b"".join(byte.to_bytes(width, "little") for byte in data))


def _copies(size: int, unit: Unit, text: str) -> None:
    """`.dcb.l count[, value]`: `count` copies of a value."""
    items = _operands(text, 1, 2, "count[, value]")
    count = _count(unit, items[0])
    value = unit.value(items[1], "the value") if len(items) > 1 else 0
    pattern = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    _reserve(unit, count * size, pattern, items[0])


def _elements(size: int, unit: Unit, text: str) -> None:
    """`.ds.l count[, fill]`: room for `count` elements."""
    items = _operands(text, 1, 2, "count[, fill]")
    fill = unit.value(items[1], "the fill") if len(items) > 1 else 0
    pattern = (fill & (1 << 8 * size) - 1).to_bytes(size, "little")
    _reserve(unit, _count(unit, items[0]) * size, pattern, items[0])


def _count(unit: Unit, text: str) -> int:
    count = unit.value(text, "the count")
    if count < 0:
        raise Fault(f"a count below 0: {count}", at=text)
    return count


def _strings(end: bytes, unit: Unit, text: str) -> None:
    """`.ascii`, `.asciz`: strings; `end` is added to each."""
    unit.mark()
    for item in split(text):
        unit.section.append(string(item) + end)


def _room(unit: Unit, text: str) -> None:
    """`.space size, fill` and its synonyms."""
    items = _operands(text, 1, 2, "size[, fill]")
    size = unit.value(items[0], "the size")
    fill = unit.value(items[1], "the fill") if len(items) > 1 else 0
    _reserve(unit, size, (fill & 0xFF).to_bytes(1, "little"), items[0])


def _fill(unit: Unit, text: str) -> None:
    """`.fill repeat, size, value`: at most 8 bytes for each value, of which 4 are significant."""
    items = _operands(text, 1, 3, "repeat[, size[, value]]")
    repeat = unit.value(items[0], "the count")
    size = min(unit.value(items[1], "the size"), 8) if len(items) > 1 else 1
    value = unit.value(items[2], "the value") if len(items) > 2 else 0
    if size < 0 or repeat < 0:
        raise Fault("a count or size below 0", at=text)
    pattern = (value & 0xFFFF_FFFF).to_bytes(8, "little")[:size]
    if size:
        _reserve(unit, repeat * size, pattern, items[0])


def _reserve(unit: Unit, count: int, pattern: bytes, text: str) -> None:
    if count < 0:
        raise Fault(f"a size of {count} bytes", at=text)
    section = unit.section
    unit.mark()
    if count and section.code and section.mode != "d":
        section.enter("d", section.size)
    section.fill(count, pattern)


def _org(unit: Unit, text: str) -> None:
    """`.org offset, fill`: continue at an offset of this section."""
    items = _operands(text, 1, 2, "offset[, fill]")
    where = parse(items[0], unit)
    if isinstance(where, Address):
        if where.section is not unit.section:
            raise Fault("`.org` goes to a place in this section", at=items[0])
        offset = where.offset
    else:
        offset = unit.value(items[0], "`.org`")
    if offset > MAX_IMAGE:
        raise Fault(
            f"offset {offset:#x} is too large", why=f"the limit is {MAX_IMAGE}", at=items[0]
        )
    fill = unit.value(items[1], "the fill") if len(items) > 1 else 0
    unit.mark()
    unit.move_to(offset, bytes((fill & 0xFF,)))


def _align(power: bool, size: int, unit: Unit, text: str) -> None:
    """`.align`, `.p2align` (a power of two), `.balign` (bytes); [fill[, most]].

    Code is padded with `nop`.  In a code section, GNU `as` leaves data unaligned by `.align
    2`.  Here data is aligned too, since the instructions after it must be.
    """
    items = split(text)
    if not 1 <= len(items) <= 3:
        raise Fault("an alignment is missing" if not items else "too many operands", at=text)
    amount = unit.value(items[0], "an alignment")
    align = 1 << amount if power and 0 <= amount <= 24 else amount
    if align == 0:
        align = 1
    if align < 0 or align & (align - 1) or align > MAX_ALIGN:
        why = f"it is a power of two, up to {MAX_ALIGN}"
        hint = "here the operand is the exponent: `.align 2` aligns to 4" if power else ""
        raise Fault(f"`{items[0]}` is not an alignment", why=why, fix=hint, at=items[0])
    section = unit.section
    count = -section.size % align
    if len(items) > 2 and count > unit.value(items[2], "the limit"):
        return
    section.align = max(section.align, align)
    if not count:
        return
    unit.mark()
    if len(items) > 1 and items[1]:
        value = unit.value(items[1], "the fill") & ((1 << 8 * size) - 1)
        if count % size:
            raise Fault(f"the padding, {count} bytes, is no multiple of {size}", at=text)
        section.fill(count, value.to_bytes(size, "little"))
    elif section.code:
        section.fill(count & 3)
        if count > 3 and section.mode != "x":
            section.enter("x", section.size)
        section.fill(count & ~3, _NOP)
    else:
        section.fill(count)


def _leb128(signed: bool, unit: Unit, text: str) -> None:
    """`.uleb128`, `.sleb128`: numbers or distances of labels, in a variable number of bytes."""
    unit.mark()
    for item in split(text):
        value = parse(item, unit)
        if isinstance(value, int):
            unit.section.append(leb128(value, signed))
        else:
            _no_contents(unit, item)
            unit.fix_leb128(Kind.SLEB128 if signed else Kind.ULEB128, value, item)


def _operands(text: str, least: int, most: int, syntax: str) -> list[str]:
    items = split(text)
    if not least <= len(items) <= most:
        raise Fault(f"expected {syntax}", at=text)
    return items


DIRECTIVES = {
    **dict.fromkeys((".byte", ".1byte"), partial(_values, 1)),
    **dict.fromkeys((".half", ".short", ".2byte", ".hword"), partial(_values, 2)),
    **dict.fromkeys((".word", ".long", ".int", ".4byte"), partial(_values, 4)),
    **dict.fromkeys((".dword", ".quad", ".8byte"), partial(_values, 8)),
    ".octa": _octa,
    ".float": partial(_float, "<f"),
    ".single": partial(_float, "<f"),
    ".double": partial(_float, "<d"),
    ".dc": partial(_values, 2),
    ".dc.a": partial(_values, 4),
    ".dc.b": partial(_values, 1),
    ".dc.w": partial(_values, 2),
    ".dc.l": partial(_values, 4),
    ".dc.s": partial(_float, "<f"),
    ".dc.d": partial(_float, "<d"),
    ".dcb": partial(_copies, 2),
    ".dcb.b": partial(_copies, 1),
    ".dcb.w": partial(_copies, 2),
    ".dcb.l": partial(_copies, 4),
    ".ds": partial(_elements, 2),
    ".ds.b": partial(_elements, 1),
    ".ds.w": partial(_elements, 2),
    ".ds.l": partial(_elements, 4),
    ".ds.s": partial(_elements, 4),
    ".ds.d": partial(_elements, 8),
    ".ds.p": partial(_elements, 12),
    ".ds.x": partial(_elements, 12),
    ".string8": partial(_strings, b"\0"),
    ".string16": partial(_wide_strings, 2),
    ".string32": partial(_wide_strings, 4),
    ".string64": partial(_wide_strings, 8),
    ".ascii": partial(_strings, b""),
    ".asciz": partial(_strings, b"\0"),
    ".string": partial(_strings, b"\0"),
    **dict.fromkeys((".space", ".skip", ".zero"), _room),
    ".fill": _fill,
    ".org": _org,
    ".align": partial(_align, True, 1),
    ".p2align": partial(_align, True, 1),
    ".p2alignw": partial(_align, True, 2),
    ".p2alignl": partial(_align, True, 4),
    ".balign": partial(_align, False, 1),
    ".balignw": partial(_align, False, 2),
    ".balignl": partial(_align, False, 4),
    ".uleb128": partial(_leb128, False),
    ".sleb128": partial(_leb128, True),
}
