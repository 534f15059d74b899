"""Answers for which directives there are; each module has those of one topic."""

from __future__ import annotations

from collections.abc import Callable

from asm import accepted, conditions, data, files, insn, loc, macros, naming, sectioning
from asm.encode import FORMS, encode
from asm.errors import Fault
from asm.lexer import string
from asm.unit import Unit

Directive = Callable[["Unit", str], None]


def _said(text: str, default: str) -> str:
    return string(text).decode(errors="replace") if text else default


def _error(unit: Unit, text: str) -> None:
    raise Fault(_said(text, ".error was reached"))


def _err(unit: Unit, text: str) -> None:
    raise Fault(".err was reached")


def _abort(unit: Unit, text: str) -> None:
    raise Fault(".abort was reached", fatal=True)


def _warning(unit: Unit, text: str) -> None:
    unit.warn(_said(text, ".warning was reached"))


def _print(unit: Unit, text: str) -> None:
    """`.print "text"`: print a note for the person who assembles."""
    unit.warn(_said(text, ""), severity="note")


def _end(unit: Unit, text: str) -> None:
    """`.end`: read nothing that follows, here or in any file that is open."""
    unit.frame = None


def _nop(unit: Unit, text: str) -> None:
    encode(FORMS["addi"], ["x0", "x0", "0"], unit)


DIRECTIVES: dict[str, Directive] = {
    **accepted.DIRECTIVES,
    **data.DIRECTIVES,
    **sectioning.DIRECTIVES,
    **naming.DIRECTIVES,
    **conditions.DIRECTIVES,
    **macros.DIRECTIVES,
    **files.DIRECTIVES,
    **loc.DIRECTIVES,
    ".insn": insn.insn,
    ".error": _error,
    ".err": _err,
    ".abort": _abort,
    ".warning": _warning,
    ".print": _print,
    ".end": _end,
    ".nop": _nop,
}
