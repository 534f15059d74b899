"""Answers for what a finished run is told as: one JSON object, or one line."""

import json
from typing import Any

from vmm.cli.session import Outcome
from vmm.cli.status import Status

SCHEMA = "toyvmm.run/1"


def document(name: str, machine: Any, outcome: Outcome, console: bytes, chosen: dict) -> str:
    """The JSON object of a run, documented in docs/json.md; `chosen` are its settings."""
    halted = outcome.exit == "halted"
    content = {
        "schema": SCHEMA,
        "guest": name,
        "exit": outcome.exit,
        "code": machine.code if halted else None,
        "status": int(outcome.status),
        "reason": outcome.line,
        "console": console.decode("utf-8", "backslashreplace"),
        "instret": machine.instret,
        "cycles": machine.cycles,
        "cycles_by_class": machine.cycles_by_class(),
        "traps_by_cause": machine.traps_by_cause(),
        "digest": machine.digest(),
        **chosen,
        "seconds": round(outcome.seconds, 6),
    }
    return json.dumps(content, indent=2) + "\n"


def summary(name: str, machine: Any, outcome: Outcome) -> str:
    """The line that ends a run on stderr."""
    where = ""
    if outcome.status in (Status.LIMIT, Status.INTERRUPTED):
        where = f", at {machine.symbolize(int(machine.hart.pc))}"
    rate = machine.instret / outcome.seconds / 1e6 if outcome.seconds else 0
    return (
        f"toyvmm: {name}: {outcome.line}{where}; {machine.instret:,} instructions, "
        f"{machine.cycles:,} cycles, {outcome.seconds:.3f} s, {rate:.0f} M/s"
    )
