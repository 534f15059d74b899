"""Answers for rows of a comparison as comma-separated values, for spreadsheets."""

import csv
import io
from typing import Any

PARTS = ("breakdown", "exits")  # objects whose members become columns; other objects are left out


def table(rows: list[dict[str, Any]]) -> str:
    """A header and a line for each row: plain values, and `breakdown.TERM`, `exits.KIND`."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        if name in PARTS:
            found |= {f"{name}.{key}": part for key, part in (value or {}).items()}
        elif not isinstance(value, dict):
            found[name] = value
    return found
