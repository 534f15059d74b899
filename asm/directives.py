"""Answers for which directives there are; each module gives those of one concern."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asm import conditions, data, files, insn, macros, naming, sectioning
from asm.errors import Fault
from asm.lexer import string

if TYPE_CHECKING:
    from asm.unit import Unit

Directive = Callable[["Unit", str], None]


def _error(unit: Unit, text: str) -> None:
    raise Fault(string(text).decode(errors="replace") if text else ".error was reached")


def _warning(unit: Unit, text: str) -> None:
    unit.warn(string(text).decode(errors="replace") if text else ".warning was reached")


def _option(unit: Unit, text: str) -> None:
    """`.option`: what this machine always has is accepted, all else refused."""
    option = text.strip()
    if option in ("push", "pop", "norvc", "norelax", "relax", "nopic"):
        return  # there is no linker, so nothing is ever relaxed
    why = "this machine has no compressed instructions" if option == "rvc" else ""
    raise Fault(f"`.option {option}` is not supported", why=why, at=option)


def _ignored(unit: Unit, text: str) -> None:
    """Directives that say something this output has no use for."""


def _unsupported(why: str) -> Directive:
    def refuse(unit: Unit, text: str) -> None:
        raise Fault("this directive is not supported", why=why)

    return refuse


_NO_FLOAT = _unsupported("this machine has no floating point")

DIRECTIVES: dict[str, Directive] = {
    **data.DIRECTIVES,
    **sectioning.DIRECTIVES,
    **naming.DIRECTIVES,
    **conditions.DIRECTIVES,
    **macros.DIRECTIVES,
    **files.DIRECTIVES,
    ".insn": insn.insn,
    ".option": _option,
    ".error": _error,
    ".err": _error,
    ".warning": _warning,
    ".float": _NO_FLOAT,
    ".double": _NO_FLOAT,
    ".altmacro": _unsupported("macros have GNU as's ordinary syntax only"),
    **dict.fromkeys(
        (
            ".file", ".ident", ".attribute", ".loc", ".noaltmacro", ".eject", ".title",
            ".cfi_startproc", ".cfi_endproc", ".cfi_def_cfa", ".cfi_def_cfa_offset",
            ".cfi_def_cfa_register", ".cfi_offset", ".cfi_rel_offset", ".cfi_restore",
            ".cfi_sections", ".cfi_undefined", ".cfi_same_value", ".cfi_remember_state",
            ".cfi_restore_state", ".cfi_adjust_cfa_offset", ".cfi_escape", ".cfi_personality",
            ".cfi_lsda", ".cfi_return_column", ".cfi_register", ".cfi_signal_frame",
            ".addrsig", ".addrsig_sym", ".variant_cc",
        ),
        _ignored,
    ),
}  # fmt: skip
