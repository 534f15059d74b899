"""Answers for a guest's ELF, as it is or with `pvops.inc` replaced.

Must not know what runs it.
"""

from collections.abc import Mapping
from pathlib import Path

import asm
import guests


def assembled(
    guest: guests.Guest,
    *,
    pvops: str | None = None,
    where: Path | None = None,
    defines: Mapping[str, int] | None = None,
) -> asm.Object:
    """The guest through our assembler; `pvops`, written into `where`, replaces its own file."""
    dirs = guests.include_dirs(guest.source)
    if pvops is not None:
        (where / "include").mkdir()
        (where / "include" / "pvops.inc").write_text(pvops)
        dirs = [where, *dirs]
    return asm.assemble(guest.source, include_dirs=dirs, defines=defines)


def words(program: asm.Object, section: str) -> list[tuple[int, int]]:
    """Address and value of each word of a section."""
    found = next(s for s in program.sections if s.name == section)
    return [
        (found.address + at, int.from_bytes(found.data[at : at + 4], "little"))
        for at in range(0, found.size & ~3, 4)
    ]
