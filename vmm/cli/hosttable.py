"""Answers for how the figures of a host are shown: tables for people, and CSV.

Must not know how they came about.
"""

import csv
import io
from typing import Any

PLAIN = ("name", "engine", "state", "code", "weight", "cap", "memory", "share", "ran", "stolen",
         "switches", "moves", "sleeps", "latency.median", "latency.worst", "exits", "instret",
         "last_line")  # fmt: skip
LAST = 40  # characters of a console's last line


def lines(found: dict[str, Any]) -> list[str]:
    """The tables: a row for each domain, then one for each hart."""
    hz = found["hz"]
    rows = [
        ["domain", "engine", "state", "share", "ran", "stolen", "switches", "moves", "sleeps",
         "wake", "worst", "exits", "code", "console"],
        *(_domain(row, hz) for row in found["domains"]),
    ]  # fmt: skip
    harts = [
        ["hart", "busy", "idle", "switches"],
        *([str(row["hart"]), time(row["busy"], hz), time(row["idle"], hz), f"{row['switches']:,}"]
          for row in found["harts"]),
    ]  # fmt: skip
    return [*aligned(rows, left=3), "", *aligned(harts, left=1)]


def _domain(row: dict[str, Any], hz: int) -> list[str]:
    latency = row["latency"]
    return [
        row["name"], row["engine"], row["state"], f"{100 * row['share']:.1f}%",
        time(row["ran"], hz), time(row["stolen"], hz),
        *(f"{row[key]:,}" for key in ("switches", "moves", "sleeps")),
        time(latency["median"], hz), time(latency["worst"], hz), f"{row['exits']:,}",
        "-" if row["code"] is None else str(row["code"]),
        (row["reason"] or row["last_line"])[:LAST],
    ]  # fmt: skip


def aligned(rows: list[list[str]], left: int) -> list[str]:
    """The rows as lines: the first columns and the last to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    ragged = len(widths) - 1 if len(widths) > left + 3 else len(widths)
    return [
        "  ".join(
            cell.ljust(width) if n < left or n >= ragged else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def time(cycles: int | None, hz: int) -> str:
    """Cycles as a time that is easy to read."""
    if cycles is None:
        return "-"
    us = cycles * 1e6 / hz
    return f"{us:.1f}us" if us < 1000 else f"{us / 1000:.1f}ms" if us < 1e6 else f"{us / 1e6:.2f}s"


def table(found: dict[str, Any]) -> str:
    """The domains as CSV, with one header; times are cycles."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PLAIN)
    for row in found["domains"]:
        flat = row | {f"latency.{key}": row["latency"][key] for key in ("median", "worst")}
        writer.writerow([flat[key] for key in PLAIN])
    return out.getvalue()
