"""Answers for which source line an address comes from, by an ELF's `.debug_line`.

It reads DWARF 2 to 5, as assemblers and compilers write it.  The file is not trusted: at a
contradiction the reading ends, and what was read before is used.  Must not know the sources
themselves.
"""

import struct
from bisect import bisect_right

from toyisa.load.elf import SHT_NOBITS, Elf, Malformed

# Limits on the work of reading a file, some seconds at most.  Each step consumes a byte of a
# program, so the bytes limit the steps; but a name can stand for many bytes elsewhere.
MAX_ROWS = 1 << 19
MAX_PROGRAMS = 3 << 20   # bytes of all line programs; further ones are not read
MAX_SECTION = 64 << 20   # bytes of a section
MAX_NAME = 4096          # bytes of a file's name, as in Linux
MAX_NAMES = 8 << 20      # bytes of all names
SECTIONS = (b".debug_line", b".debug_line_str", b".debug_str")
COPY, ADVANCE_PC, ADVANCE_LINE, SET_FILE = 1, 2, 3, 4
CONST_ADD_PC, FIXED_ADVANCE_PC = 8, 9
END_SEQUENCE, SET_ADDRESS, DEFINE_FILE = 1, 2, 3
# DWARF 5: how a name is stored (`form`), and what a field of an entry means.
STRING, LINE_STRP, STRP, UDATA, DATA1, DATA2, DATA4, DATA8, DATA16, BLOCK = (
    0x08, 0x1F, 0x0E, 0x0F, 0x0B, 0x05, 0x06, 0x07, 0x1E, 0x09,
)  # fmt: skip
SIZES = {DATA1: 1, DATA2: 2, DATA4: 4, DATA8: 8, DATA16: 16}
PATH = 1

Row = tuple[int, str, int]  # address, file, line; line 0 ends a sequence


class Lines:
    """The source line of each address; empty for a file without debugging data."""

    def __init__(self, data: bytes):
        self._rows = sorted(_rows(data), key=lambda row: (row[0], row[2] != 0))
        self._addresses = [row[0] for row in self._rows]

    def at(self, address: int) -> tuple[str, int] | None:
        """`(file, line)` of the instruction at `address`, if it is known."""
        n = bisect_right(self._addresses, address) - 1
        if n < 0 or not self._rows[n][2]:
            return None
        return self._rows[n][1], self._rows[n][2]


def _rows(data: bytes) -> list[Row]:
    rows: list[Row] = []
    try:
        sections = _Sections(_sections(Elf(data)))
        text, at = sections.data.get(b".debug_line", b"")[:MAX_PROGRAMS], 0
        while at + 4 < len(text) and len(rows) < MAX_ROWS:
            size = struct.unpack_from("<I", text, at)[0]
            if size >= 0xFFFF_FFF0 or at + 4 + size > len(text):
                break
            _unit(text[at + 4 : at + 4 + size], sections, rows)
            at += 4 + size
    except (Malformed, struct.error, IndexError):
        pass
    return rows


def _sections(file: Elf) -> dict[bytes, bytes]:
    """The debugging sections by name."""
    headers = file.sections()
    index = file.header().shstrndx
    if index >= len(headers):
        return {}
    names = file.piece(headers[index].offset, headers[index].size, "the section names")
    found = {}
    for section in headers:
        name = names[section.name : section.name + 32].partition(b"\0")[0]
        if section.type == SHT_NOBITS or name in found:
            continue
        if name in SECTIONS and section.size <= MAX_SECTION:
            found[name] = file.piece(section.offset, section.size, "a debugging section")
    return found


class _Sections:
    """The debugging sections, and how many bytes of names they have returned so far."""

    def __init__(self, data: dict[bytes, bytes]):
        self.data = data
        self._given = 0

    def string(self, name: bytes, place: int) -> str:
        """The string at `place` of a section; IndexError, also beyond MAX_NAMES."""
        text = _Reader(self.data.get(name, b""), place).string()
        self._given += len(text) + 1
        if self._given > MAX_NAMES:
            raise IndexError
        return text


class _Reader:
    def __init__(self, data: bytes, at: int = 0):
        self.data, self.at = data, at

    def number(self, size: int) -> int:
        piece = self.data[self.at : self.at + size]
        if len(piece) < size:
            raise IndexError
        self.at += size
        return int.from_bytes(piece, "little")

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << min(shift, 63)
            shift += 7
            if byte < 0x80:
                return value

    def sleb(self) -> int:
        start = self.at
        value = self.uleb()
        bits = min(7 * (self.at - start), 64)
        return value - (1 << bits) if value >> (bits - 1) & 1 else value

    def string(self) -> str:
        end = self.data.find(b"\0", self.at, self.at + MAX_NAME)
        if end < 0:
            raise IndexError
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text


def _unit(data: bytes, sections: _Sections, rows: list[Row]) -> None:
    """The rows of one line program."""
    reader = _Reader(data)
    version = reader.number(2)
    if not 2 <= version <= 5:
        return
    if version == 5:
        reader.number(2)  # the sizes of an address and of a segment selector
    program = reader.number(4)
    program += reader.at
    step = reader.number(1)
    if version >= 4:
        reader.number(1)  # operations in an instruction, for VLIW machines
    reader.number(1)
    line_base = reader.number(1)
    line_base -= 256 if line_base > 127 else 0
    line_range, opcode_base = reader.number(1) or 1, reader.number(1)
    lengths = [reader.number(1) for _ in range(opcode_base - 1)]
    files = _files_5(reader, sections) if version == 5 else _files(reader)
    reader.at = program
    _run(reader, files, (step, line_base, line_range, opcode_base, lengths), rows)


def _files(reader: _Reader) -> list[str]:
    """Names by number, from 1 on."""
    while reader.string():
        pass  # directories
    names = [""]
    while name := reader.string():
        names.append(name)
        for _ in range(3):
            reader.uleb()
    return names


def _files_5(reader: _Reader, sections: _Sections) -> list[str]:
    """Names by number, from 0 on."""
    names: list[str] = []
    for _table in range(2):  # directories, then files
        formats = [(reader.uleb(), reader.uleb()) for _ in range(reader.number(1))]
        names = []
        for _ in range(reader.uleb()):
            name = ""
            for content, form in formats:
                value = _value(reader, form, sections)
                name = value if content == PATH and isinstance(value, str) else name
            names.append(name)
            if not formats or len(names) > MAX_ROWS:
                raise IndexError
    return names


def _value(reader: _Reader, form: int, sections: _Sections) -> str | int:
    if form == STRING:
        return reader.string()
    if form in (LINE_STRP, STRP):
        place = reader.number(4)
        return sections.string(b".debug_line_str" if form == LINE_STRP else b".debug_str", place)
    if form == UDATA:
        return reader.uleb()
    if form == BLOCK:
        return reader.number(reader.uleb() & 0xFFFF)
    if form in SIZES:
        return reader.number(SIZES[form])
    raise IndexError


def _run(reader: _Reader, files: list[str], header: tuple, rows: list[Row]) -> None:
    """Run the line program: DWARF 5, section 6.2.5."""
    step, line_base, line_range, opcode_base, lengths = header
    address, file, line = 0, 1, 1
    while reader.at < len(reader.data) and len(rows) < MAX_ROWS:
        opcode = reader.number(1)
        if opcode >= opcode_base:
            advance = opcode - opcode_base
            address += advance // line_range * step
            line += line_base + advance % line_range
        elif opcode == 0:
            size = reader.uleb()
            end = reader.at + size
            kind = reader.number(1)
            if kind == SET_ADDRESS:
                address = reader.number(min(size - 1, 8))
            elif kind == END_SEQUENCE:
                rows.append((address & 0xFFFF_FFFF, "", 0))
                address, file, line = 0, 1, 1
            reader.at = end
            continue
        elif opcode == ADVANCE_PC:
            address += reader.uleb() * step
            continue
        elif opcode == ADVANCE_LINE:
            line += reader.sleb()
            continue
        elif opcode == SET_FILE:
            file = reader.uleb()
            continue
        elif opcode == CONST_ADD_PC:
            address += (255 - opcode_base) // line_range * step
            continue
        elif opcode == FIXED_ADVANCE_PC:
            address += reader.number(2)
            continue
        elif opcode != COPY:
            for _ in range(lengths[opcode - 1]):
                reader.uleb()
            continue
        name = files[file] if file < len(files) else "?"
        rows.append((address & 0xFFFF_FFFF, name, max(line, 1)))
