"""Answers for debug sections: which source line every instruction comes from.

They let `objdump -l` and `gdb` show the source.  For our own lines the format is DWARF 3
(sections 6.2 and 7), for a compiler's lines DWARF 5, which can keep the compiler's numbers of
files.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from asm.fixups import leb128

if TYPE_CHECKING:
    from asm.assembled import Assembled, Line
    from asm.section import Section

# We do not use the special opcodes of the line-number program: size does not matter here.
_HEADER = struct.pack("<BBbBB", 1, 1, -5, 14, 10) + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1))
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = b"\x01", b"\x02", b"\x03", b"\x04"
_SET_COLUMN, _NEGATE_STATEMENT = b"\x05", b"\x06"
_SEQUENCE_END = b"\0\x01\x01"


def sections(program: Assembled) -> dict[str, bytes]:
    """The debug sections to make, by name; none when there is no code.

    If a compiler describes its source, in `.loc` or in debug sections of its own, that is
    kept.
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


def _one_unit(program: Assembled, code: list[Section]) -> dict[str, bytes]:
    """`.debug_info` with only the compile unit, which leads to the lines."""
    low = min(section.address for section in code)
    high = min(max(section.end for section in code), 0xFFFF_FFFF)
    abbreviations = (
        # compile unit: stmt_list, low_pc, high_pc, name, producer, language
        bytes((1, 0x11, 0, 0x10, 6, 0x11, 1, 0x12, 1, 0x03, 8, 0x25, 8, 0x13, 5, 0, 0, 0))
    )
    name = os.fsencode(program.source.path) + b"\0"
    # DW_LANG_Mips_Assembler: every assembler says this, whatever the machine.
    unit = struct.pack("<BIII", 1, 0, low, high) + name + b"toyvmm asm\0" + b"\x01\x80"
    info = struct.pack("<HIB", 3, 0, 4) + unit
    return {
        ".debug_info": struct.pack("<I", len(info)) + info,
        ".debug_abbrev": abbreviations,
    }


# Each row holds from its address on: file number, line, column, whether a statement begins.
_Place = tuple[int, int, int, int, bool]


def _line_program(program: Assembled, code: list[Section]) -> bytes:
    """`.debug_line` for an assembly source: one sequence for each code section."""
    parts = [(_between(program.lines, s.address, s.end), s.end) for s in code]
    numbers: dict[str, int] = {}
    for part, _ in parts:
        for line in part:
            if line.path not in numbers:
                numbers[line.path] = len(numbers) + 1
    names = b"".join(os.fsencode(path) + b"\0\0\0\0" for path in numbers)
    header = _HEADER + b"\0" + names + b"\0"
    body = bytearray()
    for part, end in parts:
        body += _sequence(((x.address, numbers[x.path], x.number, 0, True) for x in part), end)
    rest = struct.pack("<HI", 3, len(header)) + header + bytes(body)
    return struct.pack("<I", len(rest)) + rest


def _between(lines: list[Line], start: int, end: int) -> list[Line]:
    first, last = (bisect_left(lines, at, key=lambda line: line.address) for at in (start, end))
    return lines[first:last]


def _compilers_lines(program: Assembled) -> bytes:
    """`.debug_line` from `.file` and `.loc`, with the compiler's numbers of files (DWARF 5)."""
    loc = program.loc
    directory, name = loc.files.get(0) or loc.files[min(loc.files)]
    count = max(loc.files) + 1
    files = [loc.files.get(number, (directory, name)) for number in range(count)]
    directories = list(dict.fromkeys([directory, *(folder for folder, _ in files)]))
    form = bytes((1, 1, 0x08))  # each directory has one field: its path, a string
    header = b"\x01" + _HEADER + form + _uleb(len(directories))
    header += b"".join(os.fsencode(folder) + b"\0" for folder in directories)
    # Each file has two: its path, and its directory's number
    header += bytes((2, 1, 0x08, 2, 0x0F)) + _uleb(count)
    for folder, file in files:
        header += os.fsencode(file) + b"\0" + _uleb(directories.index(folder))
    body = bytearray()
    by_section: dict[str, list[_Place]] = {}
    for row in loc.rows:
        address = row.section.address + row.offset
        place = (address, row.file, row.line, row.column, row.statement)
        by_section.setdefault(row.section.name, []).append(place)
    for section in program.sections:
        if section.name in by_section:
            body += _sequence(by_section[section.name], section.end)
    rest = struct.pack("<HBBI", 5, 4, 0, len(header)) + header + bytes(body)
    return struct.pack("<I", len(rest)) + rest


def _sequence(places: Iterable[_Place], end: int) -> bytes:
    places = iter(places)
    first = next(places, None)
    if first is None:
        return b""
    out = bytearray()
    address, number, file, column, statement = first[0], 1, 1, 0, True
    out += b"\0\x05\x02" + struct.pack("<I", address & 0xFFFF_FFFF)
    for new_address, new_file, new_number, new_column, new_statement in chain((first,), places):
        if new_file != file:
            file = new_file
            out += _SET_FILE + _uleb(file)
        if new_column != column:
            column = new_column
            out += _SET_COLUMN + _uleb(column)
        if new_statement != statement:
            statement = new_statement
            out += _NEGATE_STATEMENT
        if new_number != number:
            out += _ADVANCE_LINE + _sleb(new_number - number)
            number = new_number
        if new_address != address:
            out += _ADVANCE_PC + _uleb(new_address - address)
            address = new_address
        out += _COPY
    out += _ADVANCE_PC + _uleb(end - address) + _SEQUENCE_END
    return bytes(out)


@lru_cache(1024)
def _uleb(value: int) -> bytes:
    return leb128(value, False)


@lru_cache(1024)
def _sleb(value: int) -> bytes:
    return leb128(value, True)
