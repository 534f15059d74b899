"""Answers for one pass over a program: the state of assembly, and its main loop.

A pass turns statements into sections with fixups.  It must not know where
sections will lie (`layout.py`) nor how often passes are made (`assembler.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from asm.directives import DIRECTIVES
from asm.emit import Output
from asm.encode import FORMS
from asm.errors import MAX_ERRORS, MAX_WARNINGS, AsmErrors, Fault, Problem, did_you_mean
from asm.expand import MNEMONICS, instruction
from asm.expr import Undefined, evaluate, parse
from asm.files import Places
from asm.frames import Frame, Spot
from asm.guesses import Guesses
from asm.lexer import LABEL, NAME, STATEMENT, split
from asm.limits import MAX_DEPTH, Budget
from asm.linetable import LineTable
from asm.naming import Common, lay_commons
from asm.operands import NotConstant, is_register
from asm.pseudo import PSEUDO
from asm.section import Section, make
from asm.source import Source
from asm.symbols import Address, Symbol, Symbols

_LONG = 4096  # characters: after a longer statement, look at the time
_BUILT_IN = (".text", ".data", ".bss")  # symbols that GNU `as` always has


class Stop(Exception):
    """No more statements must be read."""


class Unit(Output):
    """One pass: what former passes learnt, where files may be, and what may still be used."""

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
        self.files: dict[str, list[str]] = {}
        self.missing: set[str] = set()  # places where a file was looked for in vain
        self.known: dict[str, bytes] = {}  # lines that always give the same bytes
        self.push(Frame(source))

    # -- statements ----------------------------------------------------------

    def run(self) -> None:
        """Read every statement.  Raises AsmErrors with everything that is wrong."""
        try:
            while (frame := self.frame) is not None:
                try:
                    self._read(frame)
                except Fault as fault:  # the time is used up
                    self.report(fault)
            lay_commons(self)
            self.report_undefined()
        except Stop:
            pass
        self.check()

    def _read(self, frame: Frame) -> None:
        """Read the statements of one frame, until it ends or another is opened."""
        known = self.known
        for line in frame.lines:
            frame.index += 1
            data = known.get(line)
            if data is not None and (section := self.section).mode == "x":
                section.lines.append((len(section.data), frame, frame.index))
                section.data += data
                continue
            if not frame.index & 15 or len(line) > _LONG:
                self.budget.look()
            try:
                self.statement(line)
            except Fault as fault:
                self.report(fault)
            except Undefined as undefined:
                self.early.append((undefined, self.spot()))
            if self.frame is not frame:
                return
        for condition in frame.conditions:
            self.report(Fault("this condition has no .endif"), condition.spot)
        self.frame = frame.parent.frame if frame.parent else None

    def statement(self, line: str) -> None:
        """Assemble one line without comments."""
        label, name, rest = STATEMENT.match(line).groups()
        if label is not None:
            name, rest = self._labels(line)
        if name is None:
            if rest.strip():
                raise _no_statement(rest.strip())
            return
        self._operation(line, name, rest)

    def _labels(self, line: str) -> tuple[str | None, str]:
        """Define the labels at the beginning of a line; return its operation and operands."""
        at = 0
        while (match := LABEL.match(line, at)) is not None:
            self.symbols.label(match[1], self.here(), self.spot())
            at = match.end()
        _, name, rest = STATEMENT.match(line, at).groups()
        return name, rest

    def _operation(self, line: str, name: str, rest: str) -> None:
        """Assemble one operation, which its name identifies."""
        form = FORMS.get(name)
        if form is not None and name not in self.macros:
            texts = rest.split(",") if rest else []
            if len(texts) == form.count and self._constant(line, form.match, form.memos, texts):
                return
        elif (directive := DIRECTIVES.get(name)) is not None:
            directive(self, rest.strip())
            return
        elif (macro := self.macros.get(name.lower())) is not None:
            macro.expand(self, rest)
            return
        elif rest[:1] == "=" and rest[:2] != "==":
            self.assign(name, rest[1:])
            return
        elif not name.islower() and _is_operation(lower := name.lower()):
            self._operation(line, lower, rest)  # upper and lower case mean the same
            return
        self._instruction(line, name, rest)

    def _instruction(self, line: str, name: str, rest: str) -> None:
        if rest[:1] == "=" and rest[:2] != "==":
            self.assign(name, rest[1:])  # of a name that is an instruction's too
            return
        if name[0] == ".":
            raise Fault(f"unknown directive `{name}`", fix=did_you_mean(name, DIRECTIVES), at=name)
        texts = split(rest)
        steps = PSEUDO.get((name, len(texts)))
        if steps is not None and len(steps) == 1:
            form, picks = steps[0]
            chosen = [texts[p] if isinstance(p, int) else p for p in picks]
            if self._constant(line, form.match, form.memos, chosen):
                return
        section, before = self.section, len(self.section.fixups)
        start = section.size
        instruction(self, name, texts)
        if name == "li" and len(section.fixups) == before and texts[1].lstrip("-").isalnum():
            if texts[1].lstrip("-")[0].isdigit() and STATEMENT.match(line)[1] is None:
                self.known[line] = bytes(section.data[start:])

    def _constant(self, line: str, word: int, memos: Sequence[dict], texts: list[str]) -> bool:
        """Emit an instruction if all its operands are constants; return False otherwise."""
        try:
            for memo, text in zip(memos, texts, strict=True):
                word |= memo[text]
        except (NotConstant, Fault):
            return False  # the slow path reads it, or reports what is wrong
        self.code()
        data = word.to_bytes(4, "little")
        self.section.data += data
        if ":" not in line:
            self.known[line] = data
        return True

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
        if is_register(name):
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

    def report_undefined(self) -> None:
        """Report names that were needed before their definition, or that have no definition.

        A name without a definition is reported once, at its first use.
        """
        for undefined, spot in self.early:
            if undefined.symbol.value is not None:
                self.report(_not_yet(undefined), spot)
        for symbol in self.symbols.undefined():
            if self._is_section(symbol):
                continue
            spot, text = symbol.used
            number, mark, _ = symbol.name.partition("\1")
            if mark:
                fault = Fault(f"there is no label `{number}:` after this line", at=text)
            else:
                fault = Fault(
                    f"`{symbol.name}` is not defined",
                    why="one source is a whole program; nothing is linked to it later",
                    fix=self.symbols.suggestion(symbol.name),
                    at=text,
                )
            self.report(fault, spot)

    def _is_section(self, symbol: Symbol) -> bool:
        """Whether an undefined name is the name of a section, and so means its start."""
        name = symbol.name
        if name not in self.sections and name in _BUILT_IN:
            self.sections[name] = make(name)
        if name not in self.sections:
            return False
        symbol.value, symbol.type = Address(self.sections[name], 0), "section"
        return True

    # -- what expressions may look at (expr.Scope) ---------------------------

    def here(self) -> Address:
        section = self.section
        return Address(section, section.size)

    def symbol(self, name: str) -> Symbol:
        symbol = self.symbols.get(name)
        if symbol.used is None:
            symbol.used = (self.spot(), name)
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


def _is_operation(name: str) -> bool:
    return name in DIRECTIVES or name in MNEMONICS


def _no_statement(text: str) -> Fault:
    why = "it counts the uses of macros, so it is known only in macros" if text[:2] == "\\@" else ""
    return Fault(f"expected a statement, not `{text[:20]}`", why=why, at=text[:20])


def _not_yet(undefined: Undefined) -> Fault:
    what = undefined.what
    name = undefined.symbol.name.partition("\1")[0]
    return Fault(
        f"`{name}` is not defined before this line",
        why=f"{what} must be a number while the program is read",
        fix="use `la` if it is a label" if what == "`li`" else "move its definition up",
        at=name,
    )
