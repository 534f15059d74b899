"""Answers for where a program's files may be: searched directories, and bounds.

Must not know who asks for a file (`files.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asm.errors import file_error


@dataclass(frozen=True, slots=True)
class Places:
    """Where files may be: the directories that are searched (`search`), and those that no file
    may be outside of (`within`, with links resolved; empty: no limit).
    """

    search: tuple[Path, ...] = ()
    within: tuple[Path, ...] = ()

    @classmethod
    def of(cls, search: Sequence[Path], confine: Sequence[Path], main: str) -> Places:
        """Make the places.  Raises AsmErrors if a directory that is searched lies outside."""
        places = cls(tuple(search), tuple(Path(directory).resolve() for directory in confine))
        for directory in places.within:
            if not directory.is_dir():
                raise file_error(directory, "is not a directory, so nothing is confined to it")
        for directory in search:
            if not places.allow(directory):
                raise file_error(
                    main, f"the include directory {directory} lies outside {places.bounds()}"
                )
        return places

    def allow(self, path: Path) -> bool:
        """Whether a path lies within, when its links are followed."""
        if not self.within:
            return True
        real = path.resolve()
        return any(real.is_relative_to(directory) for directory in self.within)

    def bounds(self) -> str:
        return " and ".join(str(directory) for directory in self.within)
