"""Answers for the state of one pass over a program, and for what directives may do to it.

Names, frames, problems, values.  Must not know which statements there are
(`reader.py`), where sections will lie (`layout.py`) nor how often passes are made
(`assembler.py`).
"""

from __future__ import annotations

from asm.emit import Output
from asm.errors import MAX_ERRORS, MAX_WARNINGS, AsmErrors, Fault, Problem
from asm.expr import Undefined, evaluate, parse
from asm.frames import Frame, Spot
from asm.guesses import Guesses
from asm.lexer import NAME
from asm.limits import MAX_DEPTH, Budget
from asm.linetable import LineTable
from asm.places import Places
from asm.section import Section
from asm.source import Source
from asm.symbols import Address, Common, Symbol, Symbols
from toyisa.tables.fields import REG_NUMBERS


class Stop(Exception):
    """No more statements must be read."""


class Unit(Output):
    """The state of one pass, with what former passes learnt and where files may be."""

    def __init__(self, source: Source, places: Places, guesses: Guesses, budget: Budget):
        super().__init__(guesses)
        self.main = source.path
        self.places = places
        self.budget = budget
        budget.begin()
        self.symbols = Symbols()
        self.macros: dict[str, object] = {}  # macros.Macro, by lower-case name
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        # Values that were needed before they were defined
        self.early: list[tuple[Undefined, Spot]] = []
        self.previous = self.section
        self.section_stack: list[tuple[Section, Section]] = []
        self.loc = LineTable()
        self.commons: dict[str, Common] = {}
        self.again: dict[str, str] = {}  # names whose text is read again at each use: `.eqv`
        self.weak: list[Symbol] = []  # what `.weakref` names
        self.files: dict[str, list[str]] = {}
        self.missing: set[str] = set()  # places where a file was looked for in vain
        self.known: dict[str, bytes] = {}  # lines that always give the same bytes
        self.push(Frame(source))

    # -- names and places ----------------------------------------------------

    def assign(self, name: str, text: str, once: bool = False) -> None:
        """`name = text`, `.set`, `.equ`, `.equiv`."""
        if name == ".":
            where = parse(text, self)
            if not isinstance(where, Address) or where.section is not self.section:
                raise Fault("`.` can only move within its section", at=text)
            self.move_to(where.offset)
            return
        if not NAME.match(name):
            raise Fault(f"`{name}` cannot be a name", at=name)
        if name in REG_NUMBERS:
            raise Fault(f"`{name}` is a register", fix="choose another name", at=name)
        self.symbols.assign(name, parse(text, self), self.spot(), once)

    def move_to(self, offset: int, fill: bytes = b"\0") -> None:
        """`.org`: go to an offset of this section."""
        if offset < self.section.size:
            raise Fault(
                "`.org` cannot move backwards",
                why=f"{self.section.name} already has {self.section.size} bytes",
            )
        self.section.fill(offset - self.section.size, fill)

    # -- frames --------------------------------------------------------------

    def push(self, frame: Frame) -> None:
        """Open a file, a macro or a repetition."""
        if frame.depth > MAX_DEPTH:
            raise Fault(
                "macros or files are nested too deep",
                why=f"the limit is {MAX_DEPTH}; perhaps one uses itself for ever",
                fatal=True,
            )
        self.budget.read(len(frame.source.lines))
        self.frame = frame
        self.files.setdefault(frame.source.path, frame.source.originals)

    # -- problems ------------------------------------------------------------

    def report(self, fault: Fault, spot: Spot | None = None) -> None:
        """Collect an error; raise Stop when there is no point in going on."""
        place = (spot or self.spot()).place()
        self.problems.append(Problem(place, fault.what, fault.why, fault.fix, fault.at))
        if fault.fatal or len(self.problems) >= MAX_ERRORS:
            raise Stop

    def warn(self, what: str, at: str = "", severity: str = "warning") -> None:
        """Print a warning and go on; there is a limit to the number of warnings."""
        if len(self.warnings) < MAX_WARNINGS:
            place = self.spot().place()
            self.warnings.append(Problem(place, Fault(what).what, at=at, severity=severity))

    def check(self) -> None:
        """Raise AsmErrors if there were errors."""
        if self.problems:
            raise AsmErrors(self.problems)

    # -- what expressions may look at (expr.Scope) ---------------------------

    def here(self) -> Address:
        section = self.section
        return Address(section, section.size)

    def symbol(self, name: str) -> Symbol:
        symbol = self.symbols.get(name)
        if symbol.used is None:
            symbol.used = (self.spot(), name)
        text = self.again.pop(name, None)  # not within itself
        if text is not None:
            self.budget.expand(len(text))
            self.budget.look()
            symbol.value = parse(text, self)
            self.again[name] = text
        return symbol

    def local(self, number: str, direction: str) -> Symbol:
        symbol = self.symbols.local(number, direction)
        if symbol.used is None:
            symbol.used = (self.spot(), number + direction)
        return symbol

    def value(self, text: str, what: str) -> int:
        """The value of an expression that must be a number now.  Raises Fault."""
        try:
            value = evaluate(parse(text, self))
        except Undefined as undefined:
            raise Undefined(undefined.symbol, what) from None
        if isinstance(value, int) and value >> 63 not in (0, -1):
            if value >> 64:
                raise Fault(f"{what} takes a number of 64 bits at most", at=text)
            value -= 1 << 64  # as GNU `as` reads it
        if isinstance(value, Address):
            raise Fault(
                f"{what} takes a number that is known here, not an address",
                why="addresses are known only when the whole program has been read",
                fix="use `la` to load an address" if what == "`li`" else "",
                at=text,
            )
        return value
