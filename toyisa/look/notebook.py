"""Answers for how things are shown in a notebook: tables as HTML.

Must not know where they come from.
"""

from collections.abc import Iterable
from html import escape

import numpy as np

from toyisa.tables.fields import REG_NAMES
from toyisa.tables.levels import Level

_LEFT, _RIGHT = ' style="text-align: left"', ' style="text-align: right"'


def html_table(table: Iterable[Iterable[object]], caption: str = "") -> str:
    """A table as HTML; its first line is the head, every cell is escaped, figures are aligned
    right.
    """
    head, *lines = [[str(cell) for cell in line] for line in table]
    out = ["<table>"]
    if caption:
        out.append(f"<caption>{escape(caption)}</caption>")
    out.append(f"<thead>{_line('th', head)}</thead><tbody>")
    return "".join([*out, *(_line("td", line) for line in lines), "</tbody></table>"])


def _line(tag: str, cells: list[str]) -> str:
    """One line; all cells but the first are figures."""
    sides = [_LEFT, *[_RIGHT] * (len(cells) - 1)]
    inside = "".join(f"<{tag}{side}>{escape(cell)}</{tag}>" for side, cell in zip(sides, cells))
    return f"<tr>{inside}</tr>"


def html_hart(hart: np.record, caption: str) -> str:
    """A hart's registers, four on each line, and its pc and level."""
    names = [*REG_NAMES, "pc"]
    values = [*hart.x[:32].tolist(), int(hart.pc)]
    cells = [cell for name, value in zip(names, values) for cell in (name, f"{value:#010x}")]
    cells += ["level", Level(int(hart.priv)).name]
    lines = [cells[at : at + 8] for at in range(0, len(cells), 8)]
    lines[-1] += [""] * (8 - len(lines[-1]))
    return html_table([["register", "value"] * 4, *lines], caption)


def html_fields(value: object) -> str:
    """The fields of a dataclass that are not empty; numbers in hex."""
    shown = ((name, _hex(held)) for name, held in vars(value).items() if held not in (None, {}))
    return html_table([[type(value).__name__, ""], *shown])


def _hex(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_hex(held)}" for name, held in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_hex, value))
    return f"{value:#x}" if isinstance(value, int) and value > 9 else str(value)
