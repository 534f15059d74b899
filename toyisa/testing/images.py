"""Answers for ELF files in memory: a writer of the least that `Machine.load` accepts.

Must not know what the code does.  The assembler has a writer of its own, with sections and
line information; the machine's package must not need it.
"""

import struct

from hypothesis import strategies as st

from toyisa.core.memory import PAGE, RAM_BASE
from toyisa.tables.insns import BY_NAME
from toyisa.testing.code import Code
from toyisa.testing.programs import SHUTDOWN, programs
from toyisa.testing.shown import Readable, filled

_EHDR, _PHDR, _SHDR = 52, 32, 40


def write_elf(
    segments: dict[int, bytes], entry: int, symbols: dict[str, int] | None = None, bss: int = 0
) -> bytes:
    """An ELF32 RISC-V executable from physical address -> bytes, with a symbol table.

    Each segment is followed by `bss` bytes of zeros in memory.
    """
    names, table = bytearray(b"\0.symtab\0.strtab\0"), bytearray(16)
    for name, address in sorted((symbols or {}).items()):
        table += struct.pack("<IIIBBH", len(names), address, 0, 0x12, 0, 1)
        names += name.encode() + b"\0"
    at = _EHDR + _PHDR * len(segments)
    headers, sections, body = b"", bytes(_SHDR), b""
    for address, data in segments.items():
        place, size = at + len(body), len(data)
        headers += struct.pack("<8I", 1, place, address, address, size, size + bss, 7, 4)
        sections += struct.pack("<10I", 0, 1, 7, address, place, size, 0, 0, 4, 0)
        body += data
    tables, strings = at + len(body), len(segments) + 2
    shoff = tables + len(table) + len(names)
    sections += struct.pack("<10I", 1, 2, 0, 0, tables, len(table), strings, 1, 4, 16)
    sections += struct.pack("<10I", 9, 3, 0, 0, tables + len(table), len(names), 0, 0, 1, 0)
    ident = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
    header = ident + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, entry, _EHDR, shoff, 0, _EHDR, _PHDR, len(segments),
        _SHDR, strings + 1, strings,
    )  # fmt: skip
    return header + headers + body + bytes(table) + bytes(names) + sections


class Image(Readable, bytes):
    """A file, which is printed as what it was made from: thousands of bytes would not help
    anybody.
    """

    about: str

    def __repr__(self) -> str:
        return f"ELF, {filled(self)}; {self.about}"


@st.composite
def elf_images(draw: st.DrawFn) -> bytes:
    """An ELF with a random user program that runs to its end and turns the machine off.

    The code is on any page, the segments are in any order, with data and zeros behind them.
    """
    program = draw(programs())
    start = RAM_BASE + PAGE * draw(st.integers(0, 64))
    scratch = start + PAGE * draw(st.integers(2, 64))
    load = Code()
    for number, value in enumerate(program.regs[1:31], 1):
        load.li(number, value)
    load.li(31, scratch + PAGE // 2)
    words = [*load.words(), *program.words, *SHUTDOWN, BY_NAME["jal"].encode(0, 0)]
    pieces = [(start, struct.pack(f"<{len(words)}I", *words)), (scratch, program.memory)]
    symbols = {"_start": start, "program": start + 4 * len(load), "scratch": scratch}
    ordered = draw(st.permutations(pieces))
    image = Image(write_elf(dict(ordered), start, symbols, draw(st.sampled_from([0, 4, 64]))))
    places = " ".join(f"{name}={address:#x}" for name, address in symbols.items())
    image.about = f"{places}; {program}"
    return image
