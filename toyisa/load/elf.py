"""Answers for what an ELF32 RISC-V file contains: header, segments, symbols, attributes.

It reads structure only, and checks every offset.  Must not judge whether the machine can run
the file (`image.py`).  Source: System V ABI, chapters 4 and 5; RISC-V ELF psABI, 8.

    e_ident   7f 45 4c 46  class  data  version ...
              "\\x7fELF"     1=32   1=little-endian
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAGIC = b"\x7fELF"
CLASS64, DATA_BIG = 2, 2
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
EM_RISCV = 243
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
SHT_PROGBITS, SHT_SYMTAB, SHT_NOBITS, SHT_RISCV_ATTRIBUTES = 1, 2, 8, 0x70000003
SHF_ALLOC, SHF_EXECINSTR, PF_X = 2, 4, 1
STT_FUNC = 2  # the largest kind that names code or data; below it are NOTYPE 0 and OBJECT 1
TAG_FILE, TAG_ARCH = 1, 5

# Limits on the work of reading a file, a second at most.
MAX_SYMBOLS = 400_000      # Linux has 200,000
MAX_NAME = 1 << 16         # bytes of one symbol's name; C++ has some of 10,000
MAX_NAMES = 32 << 20       # bytes of all their names; Linux has 10 MB
MAX_ATTRIBUTES = 1 << 16   # bytes of `.riscv.attributes`, which usually has about 100
MAX_ARCH = 1 << 10         # characters of its ISA string

_HEADER = struct.Struct("<HHIIIIIHHHHHH")  # what follows the 16 bytes of e_ident
_SYMBOL = struct.Struct("<IIIBBH")


class Malformed(Exception):
    """The file contradicts itself or ends too early; the text says where."""


class Header(NamedTuple):
    """The ELF header, named as in the ABI without the `e_`."""

    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


class Segment(NamedTuple):
    """A program header, named as in the ABI without the `p_`."""

    type: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    flags: int
    align: int


class Section(NamedTuple):
    """A section header, named as in the ABI without the `sh_`."""

    name: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    addralign: int
    entsize: int


class Symbol(NamedTuple):
    """A named address."""

    address: int
    name: str


@dataclass(frozen=True)
class Elf:
    """An ELF32 file; the caller has checked `e_ident`."""

    data: bytes

    def header(self) -> Header:
        return Header(*_HEADER.unpack(self.piece(16, _HEADER.size, "the header")))

    def segments(self) -> list[Segment]:
        header = self.header()
        table = self._table(header.phoff, header.phnum, header.phentsize, 32, "program header")
        return [Segment(*words) for words in struct.iter_unpack("<8I", table)]

    def sections(self) -> list[Section]:
        header = self.header()
        if not header.shoff:
            return []
        table = self._table(header.shoff, header.shnum, header.shentsize, 40, "section header")
        return [Section(*words) for words in struct.iter_unpack("<10I", table)]

    def symbols(self) -> list[Symbol]:
        """The symbols that name code or data, by address."""
        sections = self.sections()
        loaded = {n for n, section in enumerate(sections) if section.flags & SHF_ALLOC}
        tables = [section for section in sections if section.type == SHT_SYMTAB]
        if len(tables) > 1:
            raise Malformed(f"it has {len(tables)} symbol tables, an ELF has one")
        found, size = [], 0
        for table in tables:
            if table.link >= len(sections):
                raise Malformed("the symbol table names a string table that does not exist")
            names = self._span(sections[table.link], "the string table")
            for name, value, _size, info, _other, index in self._entries(table):
                # In memory: not undefined, not a constant, not of debugging data.
                if info & 15 > STT_FUNC or index not in loaded:
                    continue
                text = self._string(names, name)
                size += len(text)
                if size > MAX_NAMES:
                    raise Malformed(f"its symbols' names take more than {MAX_NAMES >> 20} MB")
                if text and not text.startswith("$"):  # $x and $d only mark code and data
                    found.append(Symbol(value, text))
        return sorted(found)

    def _entries(self, table: Section) -> Iterator[tuple[int, ...]]:
        """The rows of a symbol table, without a copy."""
        span = self._span(table, "the symbol table")
        count = len(span) // _SYMBOL.size
        if count > MAX_SYMBOLS:
            raise Malformed(f"it has {count:,} symbols, which is more than {MAX_SYMBOLS:,}")
        rows = memoryview(self.data)[span.start : span.start + count * _SYMBOL.size]
        return _SYMBOL.iter_unpack(rows)

    def _string(self, table: range, offset: int) -> str:
        """The string at `offset` of a string table."""
        if offset >= len(table):
            raise Malformed("a symbol's name begins behind the string table")
        start = table.start + offset
        end = self.data.find(b"\0", start, min(start + MAX_NAME, table.stop))
        if end < 0:
            raise Malformed(f"a symbol's name does not end within {MAX_NAME >> 10} KB")
        return self.data[start:end].decode("utf-8", "replace")

    def code(self) -> list[tuple[int, bytes]]:
        """Address and bytes of each piece of code, by address.

        They come from sections, or if there are none, as in a stripped file, from segments.
        """
        spans = [
            (section.addr, self._span(section, "a section"))
            for section in self.sections()
            if section.type == SHT_PROGBITS and section.flags & SHF_EXECINSTR
        ] or [
            (segment.vaddr, self._within(segment.offset, segment.filesz, "a segment"))
            for segment in self.segments()
            if segment.type == PT_LOAD and segment.flags & PF_X
        ]
        if sum(len(span) for _, span in spans) > len(self.data):
            raise Malformed("its pieces of code overlap in the file")
        spans.sort(key=lambda piece: piece[0])
        return [(address, self.data[span.start : span.stop]) for address, span in spans if span]

    def arch(self) -> str:
        """The ISA string of `.riscv.attributes`, such as `rv32i2p1_m2p0`; or an empty string.

        Layout: 'A', then sub-sections of (length, vendor, tag 1, length, pairs of ULEB128 tag
        and value; the value is a string if the tag is odd, a number if it is even).
        """
        for section in self.sections():
            if section.type == SHT_RISCV_ATTRIBUTES:
                if section.size > MAX_ATTRIBUTES:
                    raise Malformed(f"its attributes take {section.size:,} bytes")
                span = self._span(section, "the attributes")
                return _arch(self.data[span.start : span.stop])
        return ""

    def piece(self, offset: int, size: int, what: str) -> bytes:
        """The bytes of `what`; Malformed if the file ends before they do."""
        span = self._within(offset, size, what)
        return self.data[span.start : span.stop]

    def _within(self, offset: int, size: int, what: str) -> range:
        """Where `what` lies in the file; Malformed if the file ends before it does."""
        if offset + size > len(self.data):
            end = offset + size
            raise Malformed(f"{what} ends at byte {end}, the file at {len(self.data)}")
        return range(offset, offset + size)

    def _span(self, section: Section, what: str) -> range:
        """Where a section's bytes lie in the file, so that they need not be copied."""
        if section.type == SHT_NOBITS:
            raise Malformed(f"{what} has no bytes")
        return self._within(section.offset, section.size, what)

    def _table(self, offset: int, count: int, size: int, expected: int, what: str) -> bytes:
        if count and size != expected:
            raise Malformed(f"a {what} has {size} bytes instead of {expected}")
        return self.piece(offset, count * size, f"the {what} table")


def _arch(content: bytes) -> str:
    """The value of Tag_RISCV_arch in the file's own sub-sub-section."""
    start = content.find(b"riscv\0") + len(b"riscv\0")
    if content[:1] != b"A" or start < 6 or content[start : start + 1] != bytes([TAG_FILE]):
        return ""
    at = start + 5  # past the tag and the length
    while at < len(content):
        tag, at = _uleb128(content, at)
        if tag % 2:
            end = content.find(b"\0", at)
            end = len(content) if end < 0 else end
            if tag == TAG_ARCH:
                if end - at > MAX_ARCH:
                    raise Malformed(f"its ISA string has {end - at:,} characters")
                return content[at:end].decode("ascii", "replace")
            at = end + 1
        else:
            _, at = _uleb128(content, at)
    return ""


def _uleb128(content: bytes, at: int) -> tuple[int, int]:
    """A number with seven bits in each byte, and where it ends; Malformed beyond 64 bits."""
    value = shift = 0
    while at < len(content):
        value |= (content[at] & 0x7F) << shift
        if shift > 63:  # otherwise the time for a long one would grow with the square of its length
            raise Malformed("a number in its attributes has more than 64 bits")
        at, shift = at + 1, shift + 7
        if not content[at - 1] & 0x80:
            break
    return value, at
