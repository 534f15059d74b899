"""Answers for a unit as a whole: the functions that it needs, and the text of all of them.

Must not know what becomes of the text (`native.py`).
"""

from dataclasses import dataclass, field

import numpy as np

from toyisa.compiled.front.expressions import type_of
from toyisa.compiled.front.kinds import NOTHING, Kind, Unsupported
from toyisa.compiled.front.statements import Again, Statements


@dataclass
class Instance:
    """A function for arguments of certain kinds."""

    name: str
    result: Kind | None = None
    text: str = ""


@dataclass
class Program:
    """The part of a unit that was written so far."""

    instances: dict[tuple, Instance] = field(default_factory=dict)
    tables: dict[int, tuple[str, str, object]] = field(default_factory=dict)
    defined: list[str] = field(default_factory=list)
    way_in: str = ""

    def table(self, found: np.ndarray) -> str:
        """The operand for the address of a table in a module."""
        if id(found) not in self.tables:
            name = f"@table{len(self.tables)}"
            part = f"i{8 * found.dtype.itemsize}"
            items = ", ".join(f"{part} {int(n)}" for n in found.ravel().tolist())
            text = f"{name} = internal constant [{found.size} x {part}] [{items}], align 16"
            self.tables[id(found)] = name, text, found
        return self.tables[id(found)][0]

    def instance(self, function, kinds: tuple[Kind, ...]) -> Instance:
        """The function for arguments of these kinds; it is written if it was not yet."""
        key = function, kinds
        found = self.instances.get(key)
        if found is None:
            name = f'"{function.__module__}.{function.__qualname__}.{len(self.instances)}"'
            found = self.instances[key] = Instance(name)
            self._write(found, function, kinds)
        if found.result is None:
            raise Unsupported(f"{function.__qualname__} calls itself")
        return found

    def _write(self, instance: Instance, function, kinds: tuple[Kind, ...]) -> None:
        learned: dict[str, Kind] = {}
        while True:
            try:
                body = Statements(self, function, kinds, learned)
                text = body.write_all()
                break
            except Again:
                continue
            except Unsupported as error:
                if error.line:
                    name = f"{function.__module__}.{function.__qualname__}"
                    raise Unsupported(f"{name}, line {error.line}: {error}") from None
                raise
        instance.result = learned.get("return", NOTHING)
        instance.text = (
            f"define internal {type_of(instance.result)} @{instance.name}({body.parameters}) "
            f"nounwind {{\n{text}\n}}"
        )

    def unit(self, function, kinds: tuple[Kind, ...]) -> Kind:
        """Make `function` the entry of the unit; return the kind of its result."""
        inner = self.instance(function, kinds)
        parts = [part for kind in kinds for part in kind.parts]
        listed = [f"{part} %a{n}" for n, part in enumerate(parts)]
        lines = [f"%r = call {type_of(inner.result)} @{inner.name}({', '.join(listed)})"]
        if inner.result is NOTHING:
            lines = [lines[0].removeprefix("%r = ")]
        for n, part in enumerate(inner.result.parts):
            whole = len(inner.result.parts) == 1
            taken = "%r" if whole else f"%t{n}"
            if not whole:
                lines.append(f"{taken} = extractvalue {type_of(inner.result)} %r, {n}")
            if part == "i1":
                lines.append(f"%w{n} = zext i1 {taken} to i64")
                taken, part = f"%w{n}", "i64"
            lines.append(f"%p{n} = getelementptr i64, ptr %answer, i64 {n}")
            lines.append(f"store {part} {taken}, ptr %p{n}")
        text = "\n".join([*lines, "ret i32 0"])
        ways = ", ".join(["ptr %answer", "ptr %failure", *listed])
        self.way_in = f"({ways}) nounwind {{\n{text}\n}}"
        return inner.result

    def text(self) -> str:
        """The whole module, without the name of its entry."""
        tables = [text for _name, text, _found in self.tables.values()]
        functions = [found.text for found in self.instances.values()]
        return "\n\n".join([*tables, *self.defined, *functions, self.way_in])

    def named(self, symbol: str) -> str:
        """The whole module, with its entry under a symbol."""
        return self.text().removesuffix(self.way_in) + f'define i32 @"{symbol}"{self.way_in}'

    def define(self, text: str) -> None:
        """Add text to the module for code that the front end does not write."""
        if text not in self.defined:
            self.defined.append(text)
