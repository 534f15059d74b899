"""Answers for where bytes go: the current section, the source lines of its bytes, their fixups.

Must not know what a statement means, nor where sections will lie (`layout.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm.errors import Fault
from asm.fixups import Fixup, Kind
from asm.frames import Frame, Spot
from asm.limits import MAX_FIXUPS, MAX_SECTIONS
from asm.section import MAX_IMAGE, MAX_TOTAL, Section, make
from asm.symbols import Address, Symbol

if TYPE_CHECKING:
    from asm.guesses import Guesses
    from asm.symbols import Expr
    from toyisa.tables.fields import Field


class Output:
    """The sections of a program while they are being filled; `frame` is where statements come
    from.
    """

    def __init__(self, guesses: Guesses):
        self.guesses = guesses
        self.branches = 0
        self.lebs = 0
        self.fixups: list[Fixup] = []  # what waits for addresses
        self.uppers: dict[tuple[Section, int], Fixup] = {}  # the %pcrel_hi at a place
        # The symbol or number that an entry holds -> the entry's offset
        self.got_offsets: dict[object, int] = {}
        self.frame: Frame | None = None
        self.sections: dict[str, Section] = {}
        self.bytes = 0  # bytes of all sections except the current one
        self.section: Section | None = None
        self.enter(".text")

    def spot(self) -> Spot:
        """The statement at hand."""
        return Spot(self.frame, self.frame.index)

    def enter(self, name: str, flags: str | None = None, kind: str | None = None) -> Section:
        """Make the section of that name the current one; create it if it is new."""
        section = self.sections.get(name)
        if section is None:
            if len(self.sections) >= MAX_SECTIONS:
                why = f"the limit is {MAX_SECTIONS}"
                raise Fault("this program has too many sections", why=why, fatal=True)
            section = self.sections[name] = make(name, flags, kind)
        self.go_to(section)
        return section

    def go_to(self, section: Section) -> None:
        """Make a section the current one, and count the bytes that were added to the one before."""
        left = self.section
        if left is not None and len(left.data) != left.counted:
            self.bytes += len(left.data) - left.counted
            left.counted = len(left.data)
            if self.bytes > MAX_TOTAL:
                why = f"the limit is {MAX_TOTAL} bytes in all sections"
                raise Fault("this program grows too large", why=why, fatal=True)
        self.section = section

    def mark(self) -> None:
        """Record that the bytes of this statement begin here."""
        section, frame = self.section, self.frame
        section.lines.append((section.size, frame, frame.index))

    def code(self) -> int:
        """The offset of the next instruction."""
        section, frame = self.section, self.frame
        offset = len(section.data)
        if section.mode != "x":
            self._enter_code(section, offset)
        section.lines.append((offset, frame, frame.index))
        return offset

    def _enter_code(self, section: Section, offset: int) -> None:
        if section.type == "nobits":
            raise Fault(f"{section.name} cannot hold instructions", fix="`.text` goes back to code")
        if offset > MAX_IMAGE:
            raise Fault(f"{section.name} is larger than {MAX_IMAGE} bytes", fatal=True)
        if section.code and offset & 3:
            raise Fault(
                f"this instruction would be at {section.name}+{offset:#x}, not a multiple of 4",
                why="the machine has no compressed instructions",
                fix="write `.align 2` after data",
            )
        section.enter("x", offset)

    def word(self, offset: int, word: int) -> None:
        """Append an instruction word at the offset that `code` returned."""
        self.section.data += word.to_bytes(4, "little")

    def got(self, expr: Expr, text: str) -> Address:
        """The entry of the global offset table that holds an address; created if it is new."""
        here = self.section
        table = self.enter(".got", "aw", "progbits")
        self.go_to(here)
        key: object = object()  # an address that is not known yet has an entry of its own
        if isinstance(expr, Address):
            key = id(expr.section), expr.offset
        elif isinstance(expr, int | Symbol):
            key = expr
        offset = self.got_offsets.get(key)
        if offset is None:
            offset = self.got_offsets[key] = len(table.data)
            table.align = 4
            self.fixups.append(Fixup(table, offset, Kind.DATA, expr, self.spot(), text))
            table.data += bytes(4)
        return Address(table, offset)

    def fix_leb128(self, kind: Kind, expr: Expr, text: str) -> None:
        """Leave room for a number of variable length: as much as it took in the last pass."""
        size = self.guesses.lengths.get(self.lebs, 1)
        self.fix(kind, expr, text, None, size)
        self.fixups[-1].ordinal = self.lebs
        self.lebs += 1
        self.section.append(bytes(size))

    def fix(self, kind: Kind, expr: Expr, text: str, field: Field | None, size: int = 4) -> int:
        """Leave a fixup for the bits that come next; until it is applied they are 0."""
        section = self.section
        if len(self.fixups) >= MAX_FIXUPS:
            why = f"the limit is {MAX_FIXUPS} values that wait for addresses"
            raise Fault("this program grows too large", why=why, fatal=True)
        fixup = Fixup(section, section.size, kind, expr, self.spot(), text, field, size)
        self.fixups.append(fixup)
        if kind is Kind.PCREL_HI20:
            self.uppers[section, fixup.offset] = fixup
        return 0
