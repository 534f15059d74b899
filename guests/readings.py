"""Answers for what a nano-benchmark's console says: its lines as numbers.

The line is drawn in `lib/nano.S`.  Must not know who ran it, nor on what.
"""

import re
from dataclasses import dataclass

LINE = re.compile(r"nano ([a-z_]+) ([1-9][0-9]*) (-?[0-9]+)(?: ([1-9][0-9]*))?")


@dataclass(frozen=True)
class Reading:
    """`iterations` of an operation took `cycles`, the loop around them not counted.

    `param` is what the operation was done with, if there are several: a batch's size.
    """

    name: str
    iterations: int
    cycles: int
    param: int | None = None

    @property
    def key(self) -> str:
        """The name, or `name:param`: tells a run's readings apart."""
        return self.name if self.param is None else f"{self.name}:{self.param}"

    @property
    def each(self) -> float:
        """Cycles an operation."""
        return self.cycles / self.iterations


def parse(console: str) -> dict[str, Reading]:
    """The readings on a console by key, in their order; ValueError on a line that is none.

    Only lines that begin with `nano ` are looked at.
    """
    found = {}
    for line in console.splitlines():
        if not line.startswith("nano "):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a nano-benchmark's line: {line!r}")
        name, iterations, cycles, param = match.groups()
        reading = Reading(name, int(iterations), int(cycles), int(param) if param else None)
        if reading.key in found:
            raise ValueError(f"{reading.key} is measured twice: {line!r}")
        found[reading.key] = reading
    return found
