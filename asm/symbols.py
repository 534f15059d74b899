"""Answers for what a name stands for: labels, constants, numeric local labels.

Must not know how expressions are written (`expr.py`), nor where sections lie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from asm.errors import Fault, did_you_mean

if TYPE_CHECKING:
    from asm.frames import Spot
    from asm.section import Section

LOCAL = re.compile(r"(\d+)([bf])\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a section, `offset` bytes from its start."""

    section: Section
    offset: int


# The values of an expression: a number, a place, a name not yet defined, or an operator.
Expr = "int | Address | Symbol | tuple"


class Symbol:
    """A name.  `value` is None until it is defined."""

    __slots__ = (
        "binding", "bound", "fixed", "name", "size", "spot", "type", "used", "value", "visibility",
    )  # fmt: skip

    def __init__(self, name: str):
        self.name = name
        self.value: Expr | None = None
        self.fixed = False  # a label or `.equiv`, which may not be defined again
        self.binding = "local"
        self.bound = False  # `.local` or another directive has set the binding
        self.visibility = 0  # with the numbers of ELF: default, internal, hidden, protected
        self.type = "notype"
        self.size: Expr = 0
        self.spot: Spot | None = None  # where it was defined
        self.used: tuple[Spot, str] | None = None  # where it was first used, and for what

    @property
    def hidden(self) -> bool:
        """Whether it is left out of the ELF's symbols, as GNU `as` does with `.L` labels."""
        return self.name.startswith(".L") or "\1" in self.name


class Common(NamedTuple):
    """The room that a name asks for."""

    size: int
    align: int
    spot: Spot
    local: bool


class Symbols:
    """Every name of a program."""

    def __init__(self) -> None:
        self.by_name: dict[str, Symbol] = {}
        self._locals: dict[str, int] = {}  # numeric label -> how often it was defined so far

    def get(self, name: str) -> Symbol:
        """The symbol of that name; if it is new, it is created without a value."""
        symbol = self.by_name.get(name)
        if symbol is None:
            symbol = self.by_name[name] = Symbol(name)
        return symbol

    def local(self, number: str, direction: str) -> Symbol:
        """The symbol that `1b` or `1f` means here."""
        number = number.lstrip("0") or "0"
        count = self._locals.get(number, 0)
        if direction == "f":
            return self.get(f"{number}\1{count + 1}")
        if not count:
            raise Fault(
                f"there is no label `{number}:` before this line",
                fix=f"`{number}f` looks for the next one",
                at=number + direction,
            )
        return self.get(f"{number}\1{count}")

    def label(self, name: str, address: Address, spot: Spot) -> None:
        """Define a label at this place."""
        if name.isascii() and name.isdigit():
            name = name.lstrip("0") or "0"  # `02:` is `2:`
            count = self._locals[name] = self._locals.get(name, 0) + 1
            name = f"{name}\1{count}"
        elif name[0].isdigit():
            raise Fault(f"`{name}` cannot be a label", why="it starts with a digit", at=name)
        symbol = self.get(name)
        if symbol.value is not None:
            raise _twice(symbol)
        symbol.value = address
        symbol.fixed = True
        symbol.spot = spot

    def assign(self, name: str, value: Expr, spot: Spot, once: bool = False) -> None:
        """Give a name a value, as `.set` does; with `once`, as `.equiv` does."""
        symbol = self.get(name)
        if symbol.value is not None and (symbol.fixed or once):
            raise _twice(symbol)
        symbol.value = value
        symbol.fixed = once
        symbol.spot = spot

    @staticmethod
    def defined_twice(symbol: Symbol) -> Fault:
        return _twice(symbol)

    def undefined(self) -> list[Symbol]:
        """The names that were used but never defined, except weak ones."""
        return [
            symbol
            for symbol in self.by_name.values()
            if symbol.value is None and symbol.used and symbol.binding != "weak"
        ]

    def suggestion(self, name: str) -> str:
        known = (s.name for s in self.by_name.values() if s.value is not None and s.name != name)
        return did_you_mean(name, (k for k in known if "\1" not in k))


def _twice(symbol: Symbol) -> Fault:
    where = f"it was defined at {symbol.spot.where()}" if symbol.spot else ""
    name = symbol.name.partition("\1")[0]
    return Fault(f"`{name}` is already defined", why=where, fix="rename one of them", at=name)
