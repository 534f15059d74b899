"""Answers for the output file: an ELF32 little-endian RISC-V executable.

It follows the ELF specification and the RISC-V psABI.  Must not know assembly; what it writes
is an `Assembled` in which everything has its address.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asm import dwarf
from toyisa.tables import extensions

if TYPE_CHECKING:
    from asm.assembled import Assembled, Name
    from asm.section import Section

EM_RISCV = 243
ET_EXEC = 2
PAGE = 0x1000

_TYPES = {"progbits": 1, "nobits": 8, "note": 7}
_SYMTAB, _STRTAB, _ATTRIBUTES = 2, 3, 0x7000_0003
_FLAGS = {"w": 1, "a": 2, "x": 4, "M": 0x10, "S": 0x20}
_BINDINGS = {"local": 0, "global": 1, "weak": 2}
_SYMBOL_TYPES = {"notype": 0, "object": 1, "func": 2}
_SHN_ABS = 0xFFF1


@dataclass(slots=True)
class _Header:
    """A section header, and the contents that are in the file."""

    name: str
    type: int
    flags: int = 0
    address: int = 0
    data: bytes = b""
    size: int = 0
    link: int = 0
    info: int = 0
    align: int = 1
    entry_size: int = 0
    offset: int = 0


@dataclass(slots=True)
class _Strings:
    """A string table."""

    data: bytearray = field(default_factory=lambda: bytearray(1))
    at: dict[str, int] = field(default_factory=lambda: {"": 0})

    def index(self, text: str) -> int:
        if text not in self.at:
            self.at[text] = len(self.data)
            self.data += os.fsencode(text) + b"\0"
        return self.at[text]


def write(program: Assembled) -> bytes:
    """The bytes of the executable."""
    made = dwarf.sections(program)
    sections = [
        s for s in program.sections if (s.size or s.name == ".text") and s.name not in made
    ]
    headers = [_Header("", 0, align=0)]
    headers += [_of_section(section) for section in sections]
    headers.append(_Header(".riscv.attributes", _ATTRIBUTES, data=_attributes()))
    headers += [_Header(name, 1, data=data) for name, data in made.items()]
    headers += _symbol_table(program, sections, len(headers))

    names = _Strings()
    headers.append(_Header(".shstrtab", _STRTAB))
    name_offsets = [names.index(header.name) for header in headers]
    headers[-1].data = bytes(names.data)

    segments = _segments(headers)
    body = bytearray(52 + 32 * len(segments))
    for header in headers[1:]:
        _place(header, body)
    table_at = -(-len(body) // 4) * 4
    body += bytes(table_at - len(body))
    for offset, header in zip(name_offsets, headers, strict=True):
        body += _pack_header(offset, header)
    body[:52] = _elf_header(program.entry, len(segments), table_at, len(headers))
    for number, segment in enumerate(segments):
        body[52 + 32 * number : 84 + 32 * number] = _pack_segment(segment)
    return bytes(body)


def _of_section(section: Section) -> _Header:
    flags = sum(_FLAGS.get(letter, 0) for letter in section.flags)
    return _Header(
        section.name,
        _TYPES[section.type],
        flags,
        section.address,
        bytes(section.data),
        section.size,
        align=section.align,
        entry_size=(section.entry_size or 1) if "M" in section.flags else 0,
    )


def _place(header: _Header, body: bytearray) -> None:
    """Append a section's contents.

    "p_vaddr and p_offset must be congruent modulo the page size", so that a
    loader may map the file.
    """
    if header.flags & 2:
        body += bytes((header.address - len(body)) % PAGE) if header.type != 8 else b""
    else:
        body += bytes(-len(body) % max(header.align, 1))
    header.offset = len(body)
    if header.type != 8:
        header.size = len(header.data)
        body += header.data


def _segments(headers: list[_Header]) -> list[list[_Header]]:
    """The loaded sections in groups: same permissions, and zeros only at the end."""
    groups: list[list[_Header]] = []
    for header in headers:
        if not header.flags & 2 or not header.size:
            continue
        last = groups[-1][-1] if groups else None
        if last and last.flags & 7 == header.flags & 7 and (last.type != 8 or header.type == 8):
            groups[-1].append(header)
        else:
            groups.append([header])
    return groups


def _pack_segment(group: list[_Header]) -> bytes:
    first, last = group[0], group[-1]
    filled = [header for header in group if header.type != 8]
    start = first.address
    in_file = filled[-1].address + filled[-1].size - start if filled else 0
    in_memory = last.address + last.size - start
    flags = 4 | (2 if first.flags & 1 else 0) | (1 if first.flags & 4 else 0)
    offset = first.offset if filled else start % PAGE
    return struct.pack("<8I", 1, offset, start, start, in_file, in_memory, flags, PAGE)


def _pack_header(name: int, header: _Header) -> bytes:
    return struct.pack(
        "<10I",
        name,
        header.type,
        header.flags,
        header.address,
        header.offset,
        header.size,
        header.link,
        header.info,
        header.align,
        header.entry_size,
    )


def _elf_header(entry: int, segments: int, table_at: int, sections: int) -> bytes:
    ident = b"\x7fELF" + bytes((1, 1, 1)) + bytes(9)  # 32-bit, little-endian, version 1
    rest = (ET_EXEC, EM_RISCV, 1, entry, 52 if segments else 0, table_at, extensions.ELF_FLAGS)
    return ident + struct.pack(
        "<HHIIIIIHHHHHH", *rest, 52, 32, segments, 40, sections, sections - 1
    )


def _symbol_table(program: Assembled, sections: list[Section], before: int) -> list[_Header]:
    """`.symtab` and `.strtab`: local symbols first, as the format requires."""
    strings = _Strings()
    number = {section.name: at for at, section in enumerate(sections, 1)}
    rows = [bytes(16)]
    for section in sections:
        rows.append(_pack_symbol(0, section.address, 0, 3, number[section.name]))
    rows.append(_pack_symbol(strings.index(Path(program.source.path).name), 0, 0, 4, _SHN_ABS))
    for section in sections:
        for offset, mode in section.mapping if section.code else ():
            at = section.address + offset
            rows.append(_pack_symbol(strings.index(f"${mode}"), at, 0, 0, number[section.name]))
    shown = [name for name in program.symbols.values() if not name.hidden]
    local = [name for name in shown if name.binding == "local"]
    for name in local:
        rows.append(_of_name(name, strings, number))
    first_global = len(rows)
    for name in shown:
        if name.binding != "local":
            rows.append(_of_name(name, strings, number))
    table = _Header(
        ".symtab",
        _SYMTAB,
        data=b"".join(rows),
        link=before + 1,
        info=first_global,
        align=4,
        entry_size=16,
    )
    return [table, _Header(".strtab", _STRTAB, data=bytes(strings.data))]


def _of_name(name: Name, strings: _Strings, number: dict[str, int]) -> bytes:
    info = _BINDINGS[name.binding] << 4 | _SYMBOL_TYPES[name.type]
    # A name in an empty section, which is left out, is written as a constant.
    index = number.get(name.section, _SHN_ABS)
    text = strings.index(name.name)
    return _pack_symbol(text, name.value, name.size, info, index, name.visibility)


def _pack_symbol(
    name: int, value: int, size: int, info: int, section: int, visibility: int = 0
) -> bytes:
    return struct.pack("<IIIBBH", name, value & 0xFFFF_FFFF, size, info, visibility, section)


def _attributes() -> bytes:
    """`.riscv.attributes`: which instructions the program may use (psABI, "Attributes")."""
    tags = b"\x05" + extensions.ATTRIBUTE.encode() + b"\0"  # Tag_RISCV_arch
    file_part = b"\x01" + struct.pack("<I", len(tags) + 5) + tags  # Tag_File
    vendor = b"riscv\0" + file_part
    return b"A" + struct.pack("<I", len(vendor) + 4) + vendor
