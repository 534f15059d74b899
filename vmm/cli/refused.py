"""Answers for the JSON of a command that has no result: it still prints an object.

Must not know which command it is, nor why it failed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from vmm.cli.files import closed
from vmm.cli.status import Status

WORDS = {
    Status.USAGE: "refused",
    Status.INTERRUPTED: "interrupted",
    Status.INTERNAL: "internal",
}
printed: list[str] = []  # the objects that this command has printed: at most one


class BuildFailed(click.exceptions.Exit):
    """The guest's source has errors, which were printed; `problems` are those of asm."""

    def __init__(self, problems: list[Any]):
        super().__init__(Status.USAGE)
        self.problems = problems

    @property
    def reason(self) -> str:
        return f"the source has errors: {self.problems[0].what}" if self.problems else "errors"


def wanted(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON; the line may be wrong otherwise."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options and not {"--help", "-h"} & set(options)


def tell(arguments: Sequence[str], status: int, reason: str, problems: Sequence[Any] = ()) -> None:
    """Print the object that docs/json.md describes, unless one was printed already."""
    if printed or 1 in closed or status not in WORDS or not wanted(arguments):
        return
    command = next((word for word in arguments if not word.startswith("-")), "toyvmm")
    content = {
        "schema": f"toyvmm.{command}/1",
        "exit": WORDS[Status(status)],
        "status": int(status),
        "reason": reason,
        "problems": [_record(problem) for problem in problems],
    }
    click.echo(json.dumps(content, indent=2))


def _record(problem: Any) -> dict[str, Any]:
    """An error of the assembler, for the JSON."""
    place = problem.place
    return {
        "severity": problem.severity,
        "file": place.path,
        "line": place.line or None,
        "column": problem.column if place.line else None,
        "message": problem.what,
        "why": problem.why or None,
        "fix": problem.fix or None,
    }
