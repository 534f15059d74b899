"""Answers for debug sections: which line every instruction comes from, in DWARF 3.

So that `objdump -l` and `gdb` show our sources.  After DWARF 3, sections 6.2 and 7.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

from asm.fixups import leb128

if TYPE_CHECKING:
    from asm.assembler import Object
    from asm.section import Section

# The line-number program's special opcodes are not used: size does not matter.
_HEADER = struct.pack("<BBbBB", 1, 1, -5, 14, 10) + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1))
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = b"\x01", b"\x02", b"\x03", b"\x04"
_SET_COLUMN, _NEGATE_STATEMENT = b"\x05", b"\x06"
_SEQUENCE_END = b"\0\x01\x01"


def sections(program: Object) -> dict[str, bytes]:
    """The debug sections to make, by name; none when there is no code.

    What a compiler says of its source, in `.loc` or debug sections of its own, stands
    as it says it.
    """
    code = [section for section in program.sections if section.code and section.size]
    given = {s.name for s in program.sections if s.size and s.name.startswith(".debug_")}
    if not code or ".debug_line" in given:
        return {}
    if program.loc.rows:
        made = {".debug_line": _compilers_lines(program)}
    elif given:
        return {}
    else:
        made = {".debug_line": _line_program(program, code)}
    return made if given else made | _one_unit(program, code)


def _one_unit(program: Object, code: list[Section]) -> dict[str, bytes]:
    """`.debug_info` with nothing but the unit, which leads to the lines."""
    low = min(section.address for section in code)
    high = min(max(section.end for section in code), 0xFFFF_FFFF)
    abbreviations = (
        # compile unit: stmt_list, low_pc, high_pc, name, producer, language
        bytes((1, 0x11, 0, 0x10, 6, 0x11, 1, 0x12, 1, 0x03, 8, 0x25, 8, 0x13, 5, 0, 0, 0))
    )
    name = os.fsencode(program.source.path) + b"\0"
    # DW_LANG_Mips_Assembler: what every assembler says, whatever the machine.
    unit = struct.pack("<BIII", 1, 0, low, high) + name + b"toyvmm asm\0" + b"\x01\x80"
    info = struct.pack("<HIB", 3, 0, 4) + unit
    return {
        ".debug_info": struct.pack("<I", len(info)) + info,
        ".debug_abbrev": abbreviations,
    }


class _Place(NamedTuple):
    """From an address on: a line of a file, known by its number in the table."""

    address: int
    file: int
    number: int
    column: int = 0
    statement: bool = True


def _line_program(program: Object, code: list[Section]) -> bytes:
    """`.debug_line` for an assembly source: one sequence for each code section."""
    ranges = [(s.address, s.end) for s in code]
    lines = [line for line in program.lines if any(a <= line.address < b for a, b in ranges)]
    numbers = {path: at for at, path in enumerate(dict.fromkeys(line.path for line in lines), 1)}
    names = b"".join(os.fsencode(path) + b"\0\0\0\0" for path in numbers)
    header = _HEADER + b"\0" + names + b"\0"
    body = bytearray()
    for start, end in ranges:
        own = [line for line in lines if start <= line.address < end]
        body += _sequence([_Place(x.address, numbers[x.path], x.number) for x in own], end)
    rest = struct.pack("<HI", 3, len(header)) + header + bytes(body)
    return struct.pack("<I", len(rest)) + rest


def _compilers_lines(program: Object) -> bytes:
    """`.debug_line` from `.file` and `.loc`, with the compiler's numbers of files (DWARF 5)."""
    loc = program.loc
    directory, name = loc.files.get(0) or loc.files[min(loc.files)]
    count = max(loc.files) + 1
    files = [loc.files.get(number, (directory, name)) for number in range(count)]
    directories = list(dict.fromkeys([directory, *(folder for folder, _ in files)]))
    form = bytes((1, 1, 0x08))  # one thing of each: its path, a string
    header = b"\x01" + _HEADER + form + _uleb(len(directories))
    header += b"".join(os.fsencode(folder) + b"\0" for folder in directories)
    header += bytes((2, 1, 0x08, 2, 0x0F)) + _uleb(count)  # path; directory, a number
    for folder, file in files:
        header += os.fsencode(file) + b"\0" + _uleb(directories.index(folder))
    body = bytearray()
    by_section: dict[str, list[_Place]] = {}
    for row in loc.rows:
        place = _Place(row.section.address + row.offset, row.file, row.line, row.column,
                       row.statement)  # fmt: skip
        by_section.setdefault(row.section.name, []).append(place)
    for section in program.sections:
        if section.name in by_section:
            body += _sequence(by_section[section.name], section.end)
    rest = struct.pack("<HBBI", 5, 4, 0, len(header)) + header + bytes(body)
    return struct.pack("<I", len(rest)) + rest


def _sequence(places: list[_Place], end: int) -> bytes:
    if not places:
        return b""
    out = bytearray()
    address, number, file, column, statement = places[0].address, 1, 1, 0, True
    out += b"\0\x05\x02" + struct.pack("<I", address & 0xFFFF_FFFF)
    for place in places:
        if place.file != file:
            file = place.file
            out += _SET_FILE + _uleb(file)
        if place.column != column:
            column = place.column
            out += _SET_COLUMN + _uleb(column)
        if place.statement != statement:
            statement = place.statement
            out += _NEGATE_STATEMENT
        if place.number != number:
            out += _ADVANCE_LINE + _sleb(place.number - number)
            number = place.number
        if place.address != address:
            out += _ADVANCE_PC + _uleb(place.address - address)
            address = place.address
        out += _COPY
    out += _ADVANCE_PC + _uleb(end - address) + _SEQUENCE_END
    return bytes(out)


def _uleb(value: int) -> bytes:
    return leb128(value, False)


def _sleb(value: int) -> bytes:
    return leb128(value, True)
