"""Answers for a section while it is filled: its bytes, its lines.

Must not know what is written into it, which bits of it wait for addresses (`fixups.py`), nor
where it will lie (`layout.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asm.errors import Fault

if TYPE_CHECKING:
    from asm.frames import Frame

# Bytes of one section; more is taken to be a mistake.
MAX_IMAGE = 64 << 20
MAX_TOTAL = 128 << 20  # of all sections together
MAX_ALIGN = 1 << 24
MAX_ROOM = 1 << 30  # of a section that has no bytes in the file

# Name -> (flags, type), if `.section name` gives none; also for `name.*`.
KNOWN = {
    ".text": ("ax", "progbits"),
    ".rodata": ("a", "progbits"),
    ".data": ("aw", "progbits"),
    ".bss": ("aw", "nobits"),
    ".sdata": ("aw", "progbits"),
    ".sbss": ("aw", "nobits"),
    ".init": ("ax", "progbits"),
    ".fini": ("ax", "progbits"),
    ".srodata": ("a", "progbits"),
    ".init_array": ("aw", "progbits"),
    ".fini_array": ("aw", "progbits"),
    ".note": ("", "note"),
    ".comment": ("", "progbits"),
}


@dataclass(slots=True, eq=False)
class Section:
    """A section: `flags` is a subset of "awxMS"; the type is progbits, nobits or note.

    A nobits section has no bytes in the file: `reserved` is its size.
    """

    name: str
    flags: str
    type: str
    align: int = 1
    counted: int = 0  # how many of its bytes are in the program's total
    entry_size: int = 0  # for a section that could be merged
    data: bytearray = field(default_factory=bytearray)
    reserved: int = 0
    address: int | None = None
    lines: list[tuple[int, Frame, int]] = field(default_factory=list)
    # Where code ($x) and data ($d) begin, for disassemblers; only in code sections.
    mapping: list[tuple[int, str]] = field(default_factory=list)
    mode: str = ""

    @property
    def loaded(self) -> bool:
        """Whether it is in memory when the program runs."""
        return "a" in self.flags

    @property
    def code(self) -> bool:
        return "x" in self.flags

    @property
    def size(self) -> int:
        return self.reserved if self.type == "nobits" else len(self.data)

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.address + self.size

    def fill(self, count: int, pattern: bytes = b"\0") -> None:
        """Append `count` bytes of a repeated pattern that starts anew here."""
        limit = MAX_ROOM if self.type == "nobits" else MAX_IMAGE
        if self.size + count > limit:
            raise _too_large(self, count)
        if self.type == "nobits":
            if pattern.strip(b"\0"):
                raise _no_bits(self)
            self.reserved += count
        else:
            self.data += (pattern * (count // len(pattern) + 1))[:count]

    def append(self, data: bytes) -> None:
        """Append bytes of data."""
        if self.type == "nobits":
            if data.strip(b"\0"):
                raise _no_bits(self)
            self.reserved += len(data)
        else:
            self.data += data
            if len(self.data) > MAX_IMAGE:
                raise _too_large(self)
        if self.code and self.mode != "d":
            self.enter("d", self.size - len(data))

    def enter(self, mode: str, offset: int) -> None:
        """Record that code (`x`) or data (`d`) begins at an offset."""
        self.mode = mode
        self.mapping.append((offset, mode))


def make(name: str, flags: str | None = None, kind: str | None = None) -> Section:
    """A new section; flags that are not given follow from its name."""
    known = KNOWN.get(name) or KNOWN.get("." + name.split(".")[1] if name[:1] == "." else name)
    default_flags, default_type = known or ("", "progbits")
    section = Section(
        name,
        default_flags if flags is None else flags,
        default_type if kind is None else kind,
    )
    if section.code:
        section.align = 4
    return section


def _too_large(section: Section, count: int = 0) -> Fault:
    room = section.type == "nobits"
    return Fault(
        f"this makes {section.name} {section.size + count} bytes long",
        why=f"the limit is {MAX_ROOM if room else MAX_IMAGE} bytes",
        fix="" if room else "room for zeros belongs in .bss",
        fatal=True,
    )


def numbers_from(offset: int) -> Section:
    """A place outside memory; labels there are plain numbers."""
    return Section("*ABS*", "", "nobits", reserved=offset, address=0)


def _no_bits(section: Section) -> Fault:
    return Fault(
        f"{section.name} can hold only zeros",
        why="a nobits section takes no bytes in the file",
        fix="use .data, or .space to reserve room",
    )
