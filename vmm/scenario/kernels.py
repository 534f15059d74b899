"""Answers for the kernel that a domain names: a guest of the catalogue, a source, or an ELF.

A source or a patched guest is assembled for the engine.  Must not know a host.
"""

import os
from functools import cache
from pathlib import Path

import guests
from toyisa.core.ram import RAM_BASE
from toyisa.files import place, reading
from toyisa.load.image import ImageError, parse
from vmm import engines
from vmm.scenario.plan import DomainPlan, Scenario
from vmm.scenario.tables import ScenarioError
from vmm.scenario.values import Wrong, hint, shown

MAX_FILE = 64 << 20
_SOURCES = {".s", ".asm"}


def kernels(scenario: Scenario) -> list[bytes]:
    """The kernel of each domain; the compiler is not needed.  ScenarioError, AsmErrors."""
    return [_kernel(domain, scenario.folder) for domain in scenario.domains]


def _kernel(domain: DomainPlan, folder: Path) -> bytes:
    """The ELF of a domain's kernel, which fits into its memory; ScenarioError, AsmErrors."""
    facts = engines.facts(domain.engine)
    where = f"{domain.place}, key 'kernel'"
    try:
        elf = _elf(domain.kernel, folder, facts.build)
        symbols = {name for _, name in parse(elf, domain.kernel, RAM_BASE, domain.mem).symbols}
    except (reading.Unreadable, ImageError, Wrong) as error:
        raise ScenarioError(f"{where}: {error}") from None
    if facts.mark and facts.mark not in symbols:
        raise ScenarioError(
            f"{where}: is not patched for `{domain.engine}`: it has no symbol {facts.mark}; "
            "choose another engine"
        )
    return elf


@cache
def _elf(name: str, folder: Path, build: str) -> bytes:
    """A kernel by name; the same one is read only once."""
    catalogue = guests.catalogue()
    if name in catalogue:
        from asm import kept

        source = catalogue[name].source
        dirs = guests.include_dirs(source)
        return kept.program(place.programs(), source, dirs, guests.BUILDS[build]).elf
    path = folder / name
    if path.suffix.lower() in _SOURCES:
        reading.read(path, MAX_FILE)  # a device or a folder is refused as any other input
        from asm.assembler import assemble

        # A scenario may be from other people: a source includes nothing from elsewhere.
        return assemble(
            path, include_dirs=[guests.ROOT], defines=guests.BUILDS[build],
            confine=(path.parent, guests.ROOT),
        ).elf()  # fmt: skip
    if not Path(name).suffix and Path(name).name == name and not os.path.exists(path):
        raise Wrong(f"no guest and no file is called {shown(name)}; {hint(name, catalogue)}")
    data = reading.read(path, MAX_FILE)
    if not data.startswith(b"\x7fELF"):
        raise Wrong(f"{path}: is not an ELF file; a source needs the suffix .S")
    return data
