"""Answers for names of addresses from an ELF or a System.map, for images that have none.

    c0000000 T _start           address, kind as `nm` prints it, name

Must not know what the names are for.  A raw kernel Image has no names of its own.
"""

import re
from bisect import bisect_right
from pathlib import Path

from toyisa.load import elf, image
from toyisa.load.elf import Malformed
from toyisa.load.image import ImageError

Symbols = tuple[tuple[int, str], ...]  # by address

MAX_LINES = 400_000  # of a System.map; Linux's has 200,000

_LINE = re.compile(rb"(?:([0-9a-fA-F]{1,16}) +)?([A-Za-z?]) (\S+)")
_NO_PLACE = b"AaUNn?"  # constants, undefined names, debugging data
_NO_NAME = (b"$", b".L")  # marks that tools add


def read(path: str | Path) -> Symbols:
    """The symbols in a file; ImageError if it is neither kind, or has none."""
    data, file = image.load(path), str(path)
    found = _of_elf(data, file) if data.startswith(b"\x7fELF") else _of_map(data, file)
    if not found:
        raise ImageError(file, "has no symbols", "do not strip it")
    return found


def name(known: Symbols, address: int) -> str:
    """`symbol+0x10` for an address, or the address in hex."""
    n = bisect_right(known, address, key=lambda symbol: symbol[0]) - 1
    if n < 0:
        return f"{address:#x}"
    start, text = known[n]
    return text if start == address else f"{text}+{address - start:#x}"


def _of_elf(data: bytes, name: str) -> Symbols:
    file = image.elf32(data, name)
    try:
        return tuple(sorted({tuple(symbol) for symbol in file.symbols()}))
    except Malformed as error:
        raise ImageError(name, f"truncated or damaged: {error}", "build it again") from None


def _of_map(data: bytes, name: str) -> Symbols:
    found, size = set(), 0
    if data.count(b"\n") > MAX_LINES:
        raise ImageError(name, f"has more than {MAX_LINES:,} lines", "name a System.map")
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        address = int(match[1] or b"0", 16) if match else -1
        if not 0 <= address <= 0xFFFF_FFFF:
            raise ImageError(
                f"{name}:{number}", "is neither an ELF nor a line of a System.map",
                "`nm vmlinux` prints the right form: address, kind, name",
            )  # fmt: skip
        size += len(match[3])
        if len(match[3]) > elf.MAX_NAME or size > elf.MAX_NAMES:
            raise ImageError(f"{name}:{number}", "has too long a name", "name a System.map")
        if match[2] not in _NO_PLACE and not match[3].startswith(_NO_NAME):
            found.add((address, match[3].decode("utf-8", "replace")))
    return tuple(sorted(found))
