"""A file of any bytes is read, or refused by an ImageError, within a limited time.

Work is counted, not timed: what a file makes its reader copy or visit.
"""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.assembler import assemble_text
from toyisa.load import elf, image, symbols
from toyisa.load.elf import Elf, Malformed
from toyisa.load.image import ImageError

BASE, SIZE = 0x8000_0000, 1 << 20
HEADER, PHDR, SHDR = 52, 32, 40


def bomb(*, names=b"\0", offsets=(), tables=1, more=(), count=None):
    """An ELF with a symbol for each offset into `names`, in as many overlapping tables.

    `more` are section headers (type, flags, offset, size).
    """
    code = bytes.fromhex("6f000000")
    entries = b"".join(struct.pack("<IIIBBH", at, BASE, 0, 0, 0, 1) for at in offsets)
    at_code = HEADER + PHDR
    at_names = at_code + len(code)
    at_symbols = at_names + len(names)
    sections = [
        (0,) * 10,
        (0, 1, 6, BASE, at_code, 4, 0, 0, 4, 0),
        (0, 3, 0, 0, at_names, len(names), 0, 0, 1, 0),
        *[(0, 2, 0, 0, at_symbols, len(entries), 2, 0, 4, 16)] * tables,
        *[(0, kind, flags, BASE, at, size, 0, 0, 0, 0) for kind, flags, at, size in more],
    ]
    head = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, BASE, HEADER, at_symbols + len(entries), 0, 52, 32, 1, 40,
        len(sections) if count is None else count, 0)  # fmt: skip
    load = struct.pack("<8I", 1, at_code, BASE, BASE, 4, 4, 5, 4)
    rows = b"".join(struct.pack("<10I", *section) for section in sections)
    return head + load + code + names + entries + rows


def parse(data):
    return image.parse(data, "guest.elf", BASE, SIZE)


def test_the_builder_builds_a_good_file():
    names = b"\0first\0second\0"
    assert parse(bomb(names=names, offsets=(1, 7, 9))).symbols == (
        (BASE, "cond"), (BASE, "first"), (BASE, "second"))  # fmt: skip


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(names=b"A" * (1 << 20), offsets=[0] * 20), "does not end within 64 KB"),
        (bomb(names=b"A" * 64, offsets=[0]), "does not end"),
        (bomb(names=b"A" * (1 << 16) + b"\0", offsets=[0]), "does not end within 64 KB"),
        (bomb(offsets=[0] * 40, tables=6000), "6000 symbol tables"),
        (bomb(offsets=[1000]), "begins behind the string table"),
        (bomb(names=b"A" * 60_000 + b"\0", offsets=[0] * 600), "take more than 32 MB"),
        (bomb(offsets=[0] * (elf.MAX_SYMBOLS + 1)), "400,001 symbols, which is more than"),
        (bomb(count=60_000), "section header table ends"),
        (bomb(more=[(0x7000_0003, 0, 0, 1 << 30)]), "attributes take 1,073,741,824 bytes"),
    ],
    ids="endless unended large tables behind long many sections attributes".split(),
)
def test_what_would_take_long_is_refused(data, reason):
    with pytest.raises(ImageError, match=reason):
        parse(data)


def attributes(content):
    data = b"A" + bytes(4) + b"riscv\0" + b"\1" + bytes(4) + content
    return bomb(names=data, more=[(0x7000_0003, 0, HEADER + PHDR + 4, len(data))])


def test_numbers_and_names_of_attributes_are_bounded():
    with pytest.raises(ImageError, match="more than 64 bits"):
        parse(attributes(b"\x80" * 60_000 + b"\1"))
    with pytest.raises(ImageError, match=r"ISA string has 50,000 characters"):
        parse(attributes(b"\5" + b"9" * 50_000 + b"\0"))
    assert parse(attributes(b"\5rv32i2p1_m2p0\0")).entry == BASE


def test_code_that_overlaps_is_not_copied_again_and_again():
    data = bomb(names=bytes(1 << 20), more=[(1, 6, 0, 1 << 20)] * 1000)
    with pytest.raises(Malformed, match="pieces of code overlap"):
        Elf(data).code()


@pytest.mark.parametrize("count", [2, 60_000])
def test_segments_one_over_the_other_are_refused_before_they_are_copied(count, monkeypatch):
    data = bytearray(bomb())
    table = data[HEADER : HEADER + PHDR] * count
    data[44:46], data[28:32] = struct.pack("<H", count), struct.pack("<I", len(data))
    monkeypatch.setattr(Elf, "piece", _only_headers(Elf.piece))
    with pytest.raises(ImageError, match="overlap"):
        parse(bytes(data + table))


def _only_headers(piece):
    def checked(self, offset, size, what):
        assert what != "a segment", "copied before it was checked"
        return piece(self, offset, size, what)

    return checked


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"80000000 T x\n" * (symbols.MAX_LINES + 1), "has more than 400,000 lines"),
        (b"\n" * (symbols.MAX_LINES + 1), "has more than"),
        (b"80000000 T " + b"x" * (elf.MAX_NAME + 1), "map:1: has too long a name"),
        ((b"80000000 T " + b"x" * 60_000 + b"\n") * 600, "map:560: has too long a name"),
    ],
    ids="lines empty name names".split(),
)
def test_a_map_without_measure(tmp_path, text, reason):
    (tmp_path / "map").write_bytes(text)
    with pytest.raises(ImageError, match=reason):
        symbols.read(tmp_path / "map")


SEED = assemble_text("""
    .globl _start
_start: li a0, 1
        j _start
        .data
value:  .word 1, 2, 3
        .globl tohost
tohost: .dword 0
        .bss
        .space 64
""").elf()
# Where a change matters most: headers, then tables; a size or an offset that is far off.
WORDS = st.sampled_from([0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF, BASE, len(SEED)])


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_any_damage_is_an_image_error_or_nothing(data):
    """For everything that reads ELFs: the loader, the names of addresses, the disassembler."""
    damaged = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(SEED) // 2 - 2) | st.integers(0, 50)) * 2
        if data.draw(st.booleans()):
            damaged[at : at + 4] = struct.pack("<I", data.draw(WORDS))
        else:
            damaged[at : at + 2] = data.draw(st.binary(min_size=2, max_size=2))
    content = bytes(damaged[: data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    for reads in (parse, lambda data: symbols._of_elf(data, "x"), _code):
        with contextlib.suppress(ImageError):
            reads(content)


def _code(data):
    try:
        file = image.executable(data, "x")
        assert sum(len(code) for _, code in file.code()) <= len(data)
    except Malformed:
        pass
