"""Answers for debug sections: which line every instruction comes from, in DWARF 3.

So that `objdump -l` and `gdb` show our sources.  After DWARF 3, sections 6.2 and 7.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asm.assembler import Line, Object

# The line-number program's special opcodes are not used: size does not matter.
_HEADER = struct.pack("<BBbBB", 1, 1, -5, 14, 10) + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1))
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = b"\x01", b"\x02", b"\x03", b"\x04"
_SEQUENCE_END = b"\0\x01\x01"


def sections(program: Object) -> dict[str, bytes]:
    """The debug sections by name; none when there is no code."""
    code = [section for section in program.sections if section.code and section.size]
    if not code:
        return {}
    low = min(section.address for section in code)
    high = max(section.address + section.size for section in code)
    abbreviations = (
        # compile unit: stmt_list, low_pc, high_pc, name, producer, language
        bytes((1, 0x11, 0, 0x10, 6, 0x11, 1, 0x12, 1, 0x03, 8, 0x25, 8, 0x13, 5, 0, 0, 0))
    )
    name = os.fsencode(program.source.path) + b"\0"
    # DW_LANG_Mips_Assembler: what every assembler says, whatever the machine.
    unit = struct.pack("<BIII", 1, 0, low, high) + name + b"toyvmm asm\0" + b"\x01\x80"
    info = struct.pack("<HIB", 3, 0, 4) + unit
    ranges = [(s.address, s.address + s.size) for s in code]
    lines = [line for line in program.lines if any(a <= line.address < b for a, b in ranges)]
    return {
        ".debug_line": _line_program(lines, ranges),
        ".debug_info": struct.pack("<I", len(info)) + info,
        ".debug_abbrev": abbreviations,
    }


def _line_program(lines: list[Line], ranges: list[tuple[int, int]]) -> bytes:
    """`.debug_line`: one sequence for each code section."""
    files = {
        path: number for number, path in enumerate(dict.fromkeys(line.path for line in lines), 1)
    }
    names = b"".join(os.fsencode(path) + b"\0\0\0\0" for path in files)
    header = _HEADER + b"\0" + names + b"\0"
    body = b"".join(
        _sequence([line for line in lines if start <= line.address < end], files, end)
        for start, end in ranges
    )
    rest = struct.pack("<HI", 3, len(header)) + header + body
    return struct.pack("<I", len(rest)) + rest


def _sequence(lines: list[Line], files: dict[str, int], end: int) -> bytes:
    if not lines:
        return b""
    out = bytearray()
    address, number, file = lines[0].address, 1, 1
    out += b"\0\x05\x02" + struct.pack("<I", address)
    for line in lines:
        if files[line.path] != file:
            file = files[line.path]
            out += _SET_FILE + _uleb(file)
        if line.number != number:
            out += _ADVANCE_LINE + _sleb(line.number - number)
            number = line.number
        if line.address != address:
            out += _ADVANCE_PC + _uleb(line.address - address)
            address = line.address
        out += _COPY
    out += _ADVANCE_PC + _uleb(end - address) + _SEQUENCE_END
    return bytes(out)


def _uleb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _sleb(value: int) -> bytes:
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)
