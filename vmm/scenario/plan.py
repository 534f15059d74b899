"""Answers for what a scenario consists of once it has been read.

Times are nanoseconds of virtual time.  Must not know the file's syntax (`read.py`), nor a host
(`build.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Do(StrEnum):
    """What an event does to a domain."""

    START = "start"    # begins it, if it has not begun
    PAUSE = "pause"
    RESUME = "resume"  # after a pause
    KILL = "kill"
    SET = "set"        # changes its weight, cap or pins


@dataclass(frozen=True)
class HostPlan:
    """The table [host]."""

    harts: int
    mem: int
    scheduler: str
    options: Mapping[str, object]  # of the scheduler
    cost: str
    quantum: int  # cycles
    until: int    # when the scenario ends


@dataclass(frozen=True)
class Share:
    """A domain's part of the harts; None in an event: it stays as it is."""

    weight: int | None = None
    cap: int | None = None
    pins: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DomainPlan:
    """One domain of a table [[domain]]; `place` names it in errors."""

    place: str
    name: str
    group: str  # the table's own name: the same for all domains of one table
    kernel: str
    engine: str
    mem: int
    share: Share
    start: int | None  # None: when an event says so
    input: bytes
    clock: str
    options: Mapping[str, object]  # of the scheduler, for this domain


@dataclass(frozen=True)
class EventPlan:
    """A table [[event]], for all of the domains that it names; `place` names it in errors."""

    place: str
    at: int
    domains: tuple[str, ...]
    do: Do
    share: Share


@dataclass(frozen=True)
class Scenario:
    """A whole file."""

    path: Path
    summary: str
    host: HostPlan
    domains: tuple[DomainPlan, ...]
    events: tuple[EventPlan, ...]
    inputs: tuple[Path, ...]  # the files that it names, besides kernels

    @property
    def folder(self) -> Path:
        """Where its relative paths start."""
        return self.path.parent
