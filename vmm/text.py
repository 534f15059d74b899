"""Answers for text that fits a terminal of 80 columns: tables and long lines.

A table is lines of cells, its head first.  Must not know what they say.
"""

import textwrap
from collections.abc import Iterable

WIDTH = 80
GAP = "  "
Table = list[list[str]]


def layout(table: Table, markdown: bool = False) -> list[str]:
    """Lines of a table: the first column is aligned to the left, the others to the right.

    A table that is too wide is cut into tables one below the other, each with the first
    column.
    """
    if markdown:
        ruler = ["---", *["---:"] * (len(table[0]) - 1)]
        return [f"| {' | '.join(cells)} |" for cells in (table[0], ruler, *table[1:])]
    widths = [max(len(cells[n]) for cells in table) for n in range(len(table[0]))]
    out: list[str] = []
    for columns in _fitting(widths):
        out += ["", *_lines(table, widths, columns)] if out else _lines(table, widths, columns)
    return out


def _fitting(widths: list[int]) -> list[list[int]]:
    """Groups of columns, by number, that fit side by side; without the first column."""
    groups: list[list[int]] = [[]]
    used = widths[0]
    for n in range(1, len(widths)):
        needed = len(GAP) + widths[n]
        if groups[-1] and used + needed > WIDTH:
            groups.append([])
            used = widths[0]
        groups[-1].append(n)
        used += needed
    return groups


def _lines(table: Table, widths: list[int], columns: list[int]) -> list[str]:
    """The lines that have something in one of these columns."""
    out = []
    for first, *rest in table:
        cells = [rest[n - 1] for n in columns]
        if any(cells):
            sized = (cell.rjust(widths[n]) for n, cell in zip(columns, cells))
            out.append(GAP.join([first.ljust(widths[0]), *sized]).rstrip())
    return out


def wrap(lines: Iterable[str], indent: str = "    ") -> list[str]:
    """The lines; one that is too long is cut between words, and the rest is indented."""
    out: list[str] = []
    for line in lines:
        begun = line[: len(line) - len(line.lstrip())]
        out += textwrap.wrap(
            line, WIDTH, subsequent_indent=begun + indent, break_long_words=False,
            break_on_hyphens=False, drop_whitespace=True,
        ) if len(line) > WIDTH else [line]  # fmt: skip
    return out
