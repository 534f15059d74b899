"""Answers for how the figures of a host are shown: tables for people, and CSV.

Must not know how they came about.
"""

import csv
import io
from typing import Any

PLAIN = ("name", "engine", "state", "code", "weight", "cap", "memory", "share", "ran", "stolen",
         "switches", "moves", "sleeps", "latency.median", "latency.worst", "exits", "instret",
         "last_line")  # fmt: skip
WIDTH, LEAST = 80, 12  # columns that a table has; characters of a console, even if it is wider


def lines(found: dict[str, Any]) -> list[str]:
    """The tables: what each domain did, how it got the harts, and each hart."""
    hz = found["hz"]
    did = [["domain", "engine", "state", "share", "ran", "exits", "code", "console"]]
    turns = [["domain", "switches", "moves", "sleeps", "stolen", "wake", "worst"]]
    harts = [["hart", "busy", "idle", "switches"]]
    for row in found["domains"]:
        latency = row["latency"]
        did.append([
            row["name"], row["engine"], row["state"], f"{100 * row['share']:.1f}%",
            time(row["ran"], hz), f"{row['exits']:,}",
            "-" if row["code"] is None else str(row["code"]), said(row),
        ])  # fmt: skip
        turns.append([
            row["name"], *(f"{row[key]:,}" for key in ("switches", "moves", "sleeps")),
            time(row["stolen"], hz), time(latency["median"], hz), time(latency["worst"], hz),
        ])  # fmt: skip
    for row in found["harts"]:
        harts.append([str(row["hart"]), time(row["busy"], hz), time(row["idle"], hz),
                      f"{row['switches']:,}"])  # fmt: skip
    return [*with_console(did), "", *aligned(turns, 1), "", *aligned(harts, 1)]


def said(row: dict[str, Any]) -> str:
    """Why a domain crashed, or its last line; the names in it are the guest's own."""
    text = row["reason"] or row["last_line"]
    return "".join(c if c.isprintable() else "?" for c in text)


def with_console(rows: list[list[str]], width: int = WIDTH) -> list[str]:
    """A table of domains, engines, states and figures, whose last column is cut to fit."""
    begun = aligned([row[:-1] for row in rows], 3, keep=True)
    room = max(width - len(begun[0]) - 2, LEAST)
    return [f"{start}  {row[-1][:room]}".rstrip() for start, row in zip(begun, rows, strict=True)]


def aligned(rows: list[list[str]], left: int, keep: bool = False) -> list[str]:
    """The rows as lines: the first columns to the left, the others to the right; `keep` spaces
    at the end.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    made = [
        "  ".join(
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return made if keep else [line.rstrip() for line in made]


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
