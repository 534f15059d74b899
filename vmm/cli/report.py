"""Answers for how a finished run is reported: as one JSON object, or as one line."""

import json
from dataclasses import dataclass
from typing import Any

from vmm.cli.session import Outcome
from vmm.cli.status import Status

SCHEMA = "toyvmm.run/1"


class Transcript:
    """What the guest wrote, but only its first KEPT bytes: a guest may write for ever."""

    KEPT = 4 << 20

    def __init__(self) -> None:
        self.kept = bytearray()
        self.truncated = False
        self.inside_line = False

    def add(self, data: bytes) -> None:
        """The next bytes of the console."""
        if data:
            room = self.KEPT - len(self.kept)
            self.kept += data[:room]
            self.truncated |= len(data) > room
            self.inside_line = not data.endswith(b"\n")


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    name: str
    machine: Any
    outcome: Outcome
    console: Transcript


def document(ended: Ended, schema: str, more: dict[str, Any]) -> dict[str, Any]:
    """The JSON object of a run, described in docs/json.md; `more` are the command's own keys.

    `diagnosed` adds what is wrong with the guest.
    """
    machine, outcome = ended.machine, ended.outcome
    return {
        "schema": schema,
        "guest": ended.name,
        "exit": outcome.exit,
        "code": machine.code if outcome.exit == "halted" else None,
        "status": int(outcome.status),
        "reason": outcome.line,
        "hint": None,
        "diagnosis": None,
        "console": ended.console.kept.decode("utf-8", "backslashreplace"),
        "console_truncated": ended.console.truncated,
        "instret": machine.instret,
        "cycles": machine.cycles,
        "cycles_by_class": machine.cycles_by_class(),
        "traps_by_cause": machine.traps_by_cause(),
        "digest": machine.digest(),
        **more,
        "seconds": round(outcome.seconds, 6),
    }


def diagnosed(
    content: dict[str, Any], said: list[str], diagnosis: dict[str, Any] | None
) -> dict[str, Any]:
    """The same with the first of the sentences `said` as hint, and the diagnosis."""
    return {**content, "hint": said[0] if said else None, "diagnosis": diagnosis}


def text(content: dict[str, Any]) -> str:
    """The object as text, as it is printed."""
    return json.dumps(content, indent=2) + "\n"


def summary(name: str, machine: Any, outcome: Outcome) -> str:
    """The line on stderr that ends a run."""
    where = ""
    if outcome.status in (Status.LIMIT, Status.INTERRUPTED):
        where = f", at {machine.symbolize(int(machine.hart.pc))}"
    rate = machine.instret / outcome.seconds / 1e6 if outcome.seconds else 0
    return (
        f"toyvmm: {name}: {outcome.line}{where}; {machine.instret:,} instructions, "
        f"{machine.cycles:,} cycles, {outcome.seconds:.3f} s, {rate:.0f} M/s"
    )
