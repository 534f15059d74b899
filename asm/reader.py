"""Answers for one pass over a program: its main loop, from lines to statements.

A pass turns statements into sections with fixups.  It must not know where
sections will lie (`layout.py`) nor how often passes are made (`assembler.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from asm.directives import DIRECTIVES
from asm.encode import FORMS
from asm.errors import Fault, did_you_mean
from asm.expand import MNEMONICS, instruction
from asm.expr import Undefined
from asm.frames import Frame
from asm.lexer import LABEL, STATEMENT, split
from asm.naming import bind_weak, lay_commons
from asm.operands import NotConstant
from asm.pseudo import PSEUDO
from asm.section import make
from asm.symbols import Address, Symbol
from asm.unit import Stop, Unit

_LONG = 4096  # characters: after a longer statement, look at the time
_BUILT_IN = (".text", ".data", ".bss")  # symbols that GNU `as` always has


class Reader(Unit):
    """One pass, which `run` makes."""

    def run(self) -> None:
        """Read every statement.  Raises AsmErrors with everything that is wrong."""
        try:
            while (frame := self.frame) is not None:
                try:
                    self._read(frame)
                except Fault as fault:  # the time is used up
                    self.report(fault)
            lay_commons(self)
            bind_weak(self)
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
        section, before = self.section, len(self.fixups)
        start = section.size
        instruction(self, name, texts)
        if name == "li" and len(self.fixups) == before and texts[1].lstrip("-").isalnum():
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
