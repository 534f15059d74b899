"""Answers for the tables in `docs/isa.md`, which show the tables of this package.

It must not have a fact of its own.  The prose around the tables is written by hand. Run
`python -m toyisa.tables.gendocs` after a table has changed.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from toyisa.tables.bits import BITS
from toyisa.tables.causes import INTERRUPT, MEANING, name
from toyisa.tables.cost import CLASSES, EVENTS, PRESETS, load
from toyisa.tables.csrs import CSRS
from toyisa.tables.extensions import EXTENSIONS, FOR_KERNELS, NAMED
from toyisa.tables.insns import INSNS

PATH = Path(__file__).parents[2] / "docs" / "isa.md"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def render(text: str) -> str:
    """`text` with the tables between the markers made again; KeyError for a wrong name."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def insns() -> str:
    return _table(
        ("instruction", "bits 31 to 0", "class", "ext.", "sens.", "leaky", "meaning"),
        (
            (f"`{row.name} {row.operands}`".replace(" `", "`"), f"`{_grouped(row.bits)}`",
             row.cost.value, row.ext, row.sens.value, row.hole.value, f"`{row.meaning}`")
            for row in INSNS
        ),
    )  # fmt: skip


def csrs() -> str:
    return _table(
        ("number", "name", "writable bits", "ext.", "trapped by", "sens.", "leaky", "meaning"),
        (
            (f"`{row.number:#05x}`", f"`{row.name}`", f"`{row.writable:#010x}`", row.ext, row.group,
             row.sens, row.leaky, row.meaning)
            for row in CSRS
        ),
    )  # fmt: skip


def extensions() -> str:
    return _table(
        ("extension", "version", "a device tree names it", "rows here"),
        (
            (name, version if known else "", "yes" if name.lower() in FOR_KERNELS else "no",
             ", ".join(f"`{row.name}`" for row in (*INSNS, *CSRS) if row.ext == name))
            for name, version, known in ((e.name, e.version, e.known) for e in EXTENSIONS)
            if name in NAMED
        ),
    )  # fmt: skip


def causes() -> str:
    return _table(
        ("scause", "name", "meaning"),
        (
            (f"`{code:#x}`" if code & INTERRUPT else str(int(code)), f"`{name(code)}`", meaning)
            for code, meaning in MEANING.items()
        ),
    )


def bits() -> str:
    return _table(("constant", "value"), ((f"`{k}`", f"`{v:#x}`") for k, v in BITS.items()))


def prices() -> str:
    models = [load(preset) for preset in _presets()]
    return _table(
        ("price in cycles", *(f"`{model.name}`" for model in models)),
        (
            (f"`{key}`", *(str(model.price[key]) for model in models))
            for key in (*CLASSES, *EVENTS)
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    table.__name__: table for table in (insns, extensions, csrs, causes, bits, prices)
}


def _presets() -> list[str]:
    return re.findall(r"^\[(\w+)\]", PRESETS.read_text(encoding="utf-8"), re.MULTILINE)


def _grouped(picture: str) -> str:
    """A bit picture with spaces where the fields of the manual's R format begin."""
    return " ".join(picture[a:b] for a, b in pairwise((0, 7, 12, 17, 20, 25, 32)))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = []
    for row in (head, ("---",) * len(head), *rows):
        cells = (cell.replace("|", r"\|") for cell in row)
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def main() -> None:
    """Write the file again."""
    PATH.write_text(render(PATH.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
