"""Answers for what a person reads of a random value: assembly, and hex of what matters.

Must not know what the value is for.
"""

import hashlib
import struct
from typing import Any

from toyisa.tables.fields import REG_NAMES, Kind
from toyisa.tables.insns import find
from toyisa.testing.code import text


class Readable:
    """Hypothesis prints it by its `repr`, as others do, and not field by field."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def listing(words: list[int], start: int = 0) -> list[str]:
    """A line for each word: its address, the word, and its assembly."""
    places = range(start, start + 4 * len(words), 4)
    return [f"{pc:4x}: {word:08x}  {text(word, pc)}" for pc, word in zip(places, words)]


def registers(x: list[int], words: list[int]) -> str:
    """Those registers in `x` that the words read."""
    read = set()
    for word in words:
        row = find(word)
        for field in row.fields if row is not None else ():
            if field.kind is Kind.REG and field.name != "rd":
                read.add(field.extract(word))
    return " ".join(f"{REG_NAMES[n]}={x[n]:#x}" for n in range(1, len(x)) if n in read)


def nonzero(data: bytes, start: int) -> str:
    """The words that are not 0, each with its address."""
    words = enumerate(struct.iter_unpack("<I", data))
    return " ".join(f"{start + 4 * n:x}: {word:08x}" for n, (word,) in words if word)


def filled(data: bytes) -> str:
    """Memory: the few bytes that fill it, or its size and a digest."""
    if not any(data):
        return f"{len(data)} bytes of 0"
    for size in (16, 64):
        if len(data) % size == 0 and data == data[:size] * (len(data) // size):
            return f"{len(data) // size} times the bytes {data[:size].hex(' ', -4)}"
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}"
