"""Answers for how numbers and names are written on the command line."""

import click

from toyisa.tables.causes import Exc

_BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9}


class _Scaled(click.ParamType):
    """A whole number, optionally with a unit."""

    units: dict[str, int]

    def convert(self, value, param, ctx) -> int:
        if isinstance(value, int):
            return value
        text = value.strip().lower().removesuffix("ib")
        scale = self.units.get(text[-1:], 1)
        digits = text[:-1] if scale > 1 else text
        try:
            number = int(digits, 0) * scale
        except ValueError:
            try:
                number = float(digits) * scale
            except ValueError:
                number = -1
        if not (number >= 0 and number == number // 1 and number < 1 << 63):
            self.fail(f"{value!r} is not a {self.name}, such as {self.example}", param, ctx)
        return int(number)


class Size(_Scaled):
    """Bytes: `16M`, `64K`, `0x100000`; units are powers of 1024."""

    name = "size"
    units = _BINARY
    example = "16M or 65536"


class Count(_Scaled):
    """A count: `1000`, `20e9`, `2G`; units are powers of 1000."""

    name = "count"
    units = _DECIMAL
    example = "1000000, 20e9 or 2G"


class Time(click.ParamType):
    """A time in a unit, by default seconds: `300`, `0.5`."""

    def __init__(self, name: str = "seconds") -> None:
        self.name = name

    def convert(self, value, param, ctx) -> float:
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number < float("inf"):  # false also for nan
            self.fail(f"{value!r} is not a time in {self.name}, such as 300 or 0.5", param, ctx)
        return number


class Causes(click.ParamType):
    """`illegal,13`, `all`: exceptions by name or by number, as codes."""

    name = "causes"

    def convert(self, value, param, ctx) -> tuple[Exc, ...]:
        if isinstance(value, tuple):
            return value
        known = {exc.name.lower(): exc for exc in Exc if exc is not Exc.ECALL_S}
        if value.lower() == "all":  # a call is not a fault
            return tuple(exc for exc in known.values() if exc is not Exc.ECALL_U)
        return tuple(self._cause(name.strip(), known, param, ctx) for name in value.split(","))

    def _cause(self, name: str, known: dict[str, Exc], param, ctx) -> Exc:
        try:
            number = int(name, 0)
        except ValueError:
            number = -1
        found = known.get(name.lower()) or next((e for e in known.values() if e == number), None)
        if found is None:
            there = ", ".join(f"{other} ({exc:d})" for other, exc in known.items())
            self.fail(f"{name!r} is no exception of S; there are {there}, and all", param, ctx)
        return found


class Definition(click.ParamType):
    """`NAME=VALUE`, or `NAME`, which means 1, as for `as --defsym` and `cc -D`."""

    name = "name=value"

    def convert(self, value, param, ctx) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        name, _, text = value.partition("=")
        try:
            number = int(text, 0) if text else 1
        except ValueError:
            self.fail(f"{text!r} is not a number, in {value!r}", param, ctx)
        if not name.replace(".", "_").replace("$", "_").isidentifier():
            self.fail(f"{name!r} is not a symbol's name, in {value!r}", param, ctx)
        return name, number
