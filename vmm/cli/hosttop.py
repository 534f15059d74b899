"""Answers for `toyvmm host top`: a table that is written over itself while a host runs.

Must not know how the host is run.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from vmm.cli.hosted import many
from vmm.cli.hosttable import said, with_console

if TYPE_CHECKING:
    from vmm.scenario.session import Session

PERIOD = 0.4  # seconds between two tables
HOME, CLEAR = "\x1b[H", "\x1b[2J"
REST, BELOW = "\x1b[K", "\x1b[J"  # erase to the end of the line; and all lines below


class Screen:
    """The table of a session, on a terminal."""

    def __init__(self, session: Session, name: str):
        self.session, self.name = session, name
        self._before: dict[str, Any] | None = None
        self._drawn = 0.0

    def tick(self) -> None:
        """Draw it, if that was not done just now."""
        if time.monotonic() - self._drawn < PERIOD:
            return
        from vmm.scenario.result import result

        found = result(self.session)
        size = shutil.get_terminal_size()
        rows = lines(found, self._before, self.name, size.columns - 1)
        room = [line[: size.columns - 1] + REST for line in rows[: size.lines - 1]]
        start = HOME if self._before else CLEAR + HOME
        sys.stdout.write(start + "\n".join(room) + "\n" + BELOW)
        sys.stdout.flush()
        self._before, self._drawn = found, time.monotonic()

    def close(self) -> None:
        """Make room for what comes next."""
        sys.stdout.write(HOME + BELOW)


def lines(
    found: dict[str, Any], before: dict[str, Any] | None, name: str, width: int
) -> list[str]:
    """The table: `now` is the part of a hart that each domain had since the table before."""
    if before is None:
        before = {"now": 0, "harts": [], "domains": []}
    passed = max(found["now"] - before["now"], 1)
    busy = sum(row["busy"] for row in found["harts"]) - sum(row["busy"] for row in before["harts"])
    all_harts = len(found["harts"]) * passed
    head = (
        f"{name}: {found['now'] * 1000 / found['hz']:,.1f} ms, {many(len(found['harts']), 'hart')} "
        f"{100 * min(busy / all_harts, 1):.0f}% busy, scheduler {found['scheduler']}"
    )
    earlier = {row["name"]: row["ran"] for row in before["domains"]}
    rows = [["domain", "engine", "state", "now", "share", "memory", "exits", "sleeps", "console"]]
    for row in sorted(found["domains"], key=lambda row: row["ran"], reverse=True):
        share = (row["ran"] - earlier.get(row["name"], 0)) / passed
        rows.append([
            row["name"], row["engine"], row["state"], f"{100 * min(share, 1):.0f}%",
            f"{100 * row['share']:.1f}%", f"{row['memory'] / (1 << 20):.1f}M",
            f"{row['exits']:,}", f"{row['sleeps']:,}", said(row),
        ])  # fmt: skip
    return [head, "", *with_console(rows, width)]
