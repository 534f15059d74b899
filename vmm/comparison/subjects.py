"""Answers for what is compared: engines with paging and options, and guests built for them.

Must not know what is measured.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import guests
from asm import kept
from toyisa.files import place
from toyisa.tables.cost import CostModel
from toyisa.tables.levels import Profile
from vmm import engines
from vmm.engines import NATIVE
from vmm.machine import new_machine

OWN = "own"        # its paging
NANO = "nano/"


@dataclass(frozen=True)
class Subject:
    """A way to run a guest.  `force` is an option of bt; it is added to the engine's name."""

    engine: str
    paging: str
    force: str = ""

    @property
    def name(self) -> str:
        return f"{self.engine}:{self.force}" if self.force else self.engine

    @property
    def label(self) -> str:
        """The name, and the paging if the engine has several ways."""
        known = paging_of(self.engine)
        return f"{self.name}/{self.paging}" if len(known) > 1 else self.name


@dataclass(frozen=True)
class Setting:
    """On which machine: its profile and its prices."""

    profile: Profile
    cost: CostModel


def paging_of(engine: str) -> tuple[str, ...]:
    """The ways an engine translates addresses, its default first."""
    return (OWN,) if engine == NATIVE else engines.facts(engine).paging


def subjects(names: tuple[str, ...], paging: tuple[str, ...] = ()) -> list[Subject]:
    """A subject for each engine; with `paging`, one for each of these ways that the engine has."""
    found = []
    for name in names:
        known = paging_of(name)
        chosen = [way for way in paging if way in known] or [known[0]]
        found += [Subject(name, way) for way in chosen]
    return found


def machine_for(subject: Subject, setting: Setting, mem: int = 16 << 20) -> Any:
    """A machine with nothing loaded."""
    options = {"force": subject.force} if subject.force else {}
    if len(paging_of(subject.engine)) > 1:
        options["paging"] = subject.paging
    return new_machine(
        subject.engine, mem=mem, profile=setting.profile, cost=setting.cost, options=options or None
    )


def build_of(subject: Subject) -> str:
    """How a guest's source is built for it: "" for unmodified, or a name of `guests.BUILDS`."""
    return "" if subject.engine == NATIVE else engines.facts(subject.engine).build


def elf_of(source: Path, build: str) -> bytes:
    """A guest's main file, assembled for this build; AsmErrors."""
    dirs = guests.include_dirs(source)
    return kept.program(place.programs(), source, dirs, guests.BUILDS[build]).elf


def nano() -> dict[str, guests.Guest]:
    """The nano-benchmarks by their short names."""
    return {
        name.removeprefix(NANO): guest
        for name, guest in guests.catalogue().items() if name.startswith(NANO)
    }  # fmt: skip
