"""Answers for which guests exist and where their files are: `guests.toml`.

Must not know how a guest is assembled or run.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent

# How the source of a kernel can be built: constants that are defined for it.
BUILDS: dict[str, dict[str, int]] = {
    "": {},           # for the bare machine, and engines that run an unmodified guest
    "pv": {"PV": 1},  # patched: privileged acts are hypercalls (include/pvops_pv.inc)
}


@dataclass(frozen=True)
class Guest:
    """One section of `guests.toml`; paths are absolute."""

    name: str
    source: Path
    summary: str
    budget: int
    exit: int | None  # None: it never ends
    golden: Path | None
    input: Path | None

    @property
    def end(self) -> tuple[str, int]:
        """How a run of `budget` instructions ends, as the machine names it, and its code."""
        return ("BUDGET", 0) if self.exit is None else ("HALTED", self.exit)


def path(name: str) -> Path:
    """The file or folder `name`, relative to this package."""
    return ROOT / name


def include_dirs(source: Path) -> list[Path]:
    """Where `.include` looks, in order, when `source` is a guest's main file."""
    return [source.parent, ROOT]


@cache
def catalogue() -> dict[str, Guest]:
    """All guests by name, in the order of `guests.toml`."""
    with path("guests.toml").open("rb") as file:
        sections = tomllib.load(file)
    return {name: _guest(name, row) for name, row in sections.items()}


def _guest(name: str, row: dict) -> Guest:
    known = {"source", "summary", "budget", "exit", "golden", "input"}
    if unknown := row.keys() - known:
        raise ValueError(f"guests.toml: [{name}] has unknown keys {sorted(unknown)}")
    return Guest(
        name=name,
        source=path(row["source"]),
        summary=row["summary"],
        budget=row["budget"],
        exit=row.get("exit"),
        golden=path(row["golden"]) if "golden" in row else None,
        input=path(row["input"]) if "input" in row else None,
    )
