"""Debugging data of any bytes gives lines or none, no error, and a limited amount of work."""

import contextlib
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from asm.assembler import assemble_text
from tests.unit.test_elf_bombs import HEADER, PHDR
from toyisa.load import dwarf
from toyisa.load.dwarf import Lines
from toyisa.load.elf import Elf

SEED = assemble_text("_start: nop\n nop\n j _start\n").elf()


def sections(*contents):
    """An ELF with these sections (name, bytes), and the names of the sections."""
    names, data, rows = b"\0", b"", [(0,) * 10]
    start = HEADER + PHDR
    for name, content in (*contents, (b".shstrtab", None)):
        at = len(names)
        names += name + b"\0"
        content = names if content is None else content
        rows.append((at, 1, 0, 0, start + len(data), len(content), 0, 0, 1, 0))
        data += content
    head = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, 0, HEADER, start + len(data), 0, 52, 32, 0, 40, len(rows),
        len(rows) - 1)  # fmt: skip
    return head + bytes(PHDR) + data + b"".join(struct.pack("<10I", *row) for row in rows)


def unit(body, files=b"\1\1\x08\0\1\1\x08\1file\0"):
    """A line program of DWARF 5; `files` are its tables of directories and files."""
    header = b"\1\1\1" + struct.pack("<bBB", 0, 1, 10) + bytes([0, 1, 1, 1, 1, 0, 0, 0, 1]) + files
    content = struct.pack("<HBBI", 5, 4, 0, len(header)) + header + body
    return struct.pack("<I", len(content)) + content


SET = b"\0\5\2" + struct.pack("<I", 0x8000_0000)  # the address


def test_the_builder_builds_what_is_read():
    lines = Lines(sections((b".debug_line", unit(SET + b"\3\6\1" + b"\2\4" + b"\0\1\1"))))
    assert lines.at(0x8000_0000) == ("?", 7)  # file 1 of one: named by number from 0 on
    assert Lines(SEED).at(0x8000_0004)[1] == 2


def test_rows_without_end_are_read_to_a_limit(monkeypatch):
    monkeypatch.setattr(dwarf, "MAX_ROWS", 1000)
    lines = Lines(sections((b".debug_line", unit(SET + b"\1" * 100_000))))
    assert len(lines._rows) == 1000


def test_programs_without_rows_too(monkeypatch):
    """The bytes limit the steps, whatever the steps do."""
    monkeypatch.setattr(dwarf, "MAX_PROGRAMS", 10_000)
    read = []
    monkeypatch.setattr(dwarf._Reader, "number", _counted(dwarf._Reader.number, read))
    Lines(sections((b".debug_line", unit(b"\3\0" * 4000) + unit(b"\3\0" * 4000))))
    assert 4000 < len(read) < 20_000


def _counted(number, calls):
    def counted(self, size):
        calls.append(size)
        return number(self, size)

    return counted


def test_one_long_name_does_not_stand_for_many(monkeypatch):
    """Each file is four bytes that name one string of a megabyte, or of 4,000 bytes."""
    for length in (1 << 20, 4000):
        text = b"A" * length + b"\0"
        files = b"\1\1\x08\0" + b"\1\1\x1f" + b"\xff\xff\x7f" + bytes(4 * 50_000)
        data = sections((b".debug_line", unit(SET + b"\1", files)), (b".debug_line_str", text))
        held = dwarf._Sections(dwarf._sections(Elf(data)))
        rows = []
        with contextlib.suppress(IndexError):
            dwarf._unit(held.data[b".debug_line"][4:], held, rows)
        assert held._given <= dwarf.MAX_NAMES + dwarf.MAX_NAME
        assert Lines(data).at(0x8000_0000) is None


def test_sections_that_overlap_are_copied_once_each():
    data = sections((b".debug_line", unit(SET + b"\1")), *[(b".debug_line", b"")] * 1000)
    assert set(dwarf._sections(Elf(data))) == {b".debug_line"}
    many = sections(*[(b".debug_%d" % n, b"x") for n in range(1000)])
    assert dwarf._sections(Elf(many)) == {}


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_any_damage_is_lines_or_none(data):
    damaged = bytearray(SEED)
    start = SEED.index(b".S\0") - 200 if b".S\0" in SEED else len(SEED) // 2
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(max(start, 52), len(SEED) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    found = Lines(bytes(damaged)).at(data.draw(st.integers(0, 0xFFFF_FFFF)))
    assert found is None or isinstance(found[1], int)
