"""Answers for what `run TARGET` means: an example, an assembly source, or an ELF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from vmm.cli.files import Refusal, read

if TYPE_CHECKING:
    from asm.assembler import Object
    from toyisa.load.dwarf import Lines

SOURCE_SUFFIXES = {".s", ".asm"}  # in lower case, so .S and .s both


@dataclass(frozen=True)
class Target:
    """A guest to run: its name, its ELF, and the scripted input of an example."""

    name: str
    elf: bytes
    script: Path | None = None
    assembled: Callable[[], Object] | None = None  # assembles it, if it came from a source
    sources: tuple[Path, ...] = ()  # the files that it came from

    @cached_property
    def _program(self) -> Object | None:
        """The program with all its lines; None if it is not from a source, or the source has
        changed.
        """
        from asm.errors import AsmErrors

        try:
            made = self.assembled() if self.assembled else None
        except AsmErrors:
            return None
        return made if made and made.elf() == self.elf else None

    @cached_property
    def _debug_lines(self) -> Lines:
        from toyisa.load.dwarf import Lines

        return Lines(self.elf)

    def source_line(self, address: int) -> str | None:
        """`file:number: text` of the source line at an address, if it is known."""
        program = self._program
        if program is None:
            place = self._debug_lines.at(address)
            return f"{place[0]}:{place[1]}" if place else None
        line = program.line_at(address)
        if line is None:
            return None
        text = program.files.get(line.path, [])[line.number - 1 : line.number]
        return f"{line.path}:{line.number}: {' '.join(' '.join(text).split())}"


def source_of(text: str) -> Path:
    """The main file of the example or assembly source that `text` names; Refusal."""
    import guests

    if text in guests.catalogue():
        return guests.catalogue()[text].source
    path = Path(text)
    if path.suffix.lower() not in SOURCE_SUFFIXES or _is_missing(path):
        raise Refusal(_no_example(text, list(guests.catalogue())))
    return path


def find(
    text: str, include: list[Path] | None = None, build: str = "", confine: Sequence[Path] = ()
) -> Target:
    """The target that `text` names; Refusal if there is none, AsmErrors if it has errors.

    A bare word means an example if there is one; `./word` is always a file.  A source is
    assembled for `build`, one of `guests.BUILDS`, which the engine needs.
    """
    import guests

    catalogue = guests.catalogue()
    if text in catalogue:
        guest = catalogue[text]
        return _built(guest.name, guest.source, None, build, script=guest.input)
    path = Path(text)
    _refuse_missing(text)
    if path.suffix.lower() in SOURCE_SUFFIXES:
        return _built(path.name, path, include, build, confine)
    data = read(path)
    if not data.startswith(b"\x7fELF"):
        reason = "is empty" if not data else "is not an ELF file"
        raise Refusal(f"{text}: {reason}; assembly source needs the suffix .S")
    return Target(path.name, data, sources=(path,))


def _refuse_missing(text: str) -> None:
    """Refusal that says that there is neither an example nor a file of that name."""
    import guests

    path, catalogue = Path(text), guests.catalogue()
    if text in catalogue or not _is_missing(path):
        return
    raise Refusal(_no_example(text, list(catalogue)))


def _built(name: str, source: Path, include: list[Path] | None, build: str,
           confine: Sequence[Path] = (), script: Path | None = None) -> Target:  # fmt: skip
    """The target from a source; one from other people (`confine`) is not kept on disk."""
    if confine:
        made = assemble(source, include, build, confine)
        return Target(name, made.elf(), script, lambda: made, tuple(map(Path, made.files)))
    import guests
    from asm import kept
    from toyisa.files import place

    found = kept.program(place.programs(), source, _dirs(source, include), guests.BUILDS[build])
    again = partial(assemble, source, include, build)
    return Target(name, found.elf, script, again, tuple(map(Path, found.files)))


def _dirs(source: Path, include: list[Path] | None) -> list[Path]:
    import guests

    return [*(include or []), *guests.include_dirs(source)]


def assemble(
    source: Path, include: list[Path] | None = None, build: str = "", confine: Sequence[Path] = ()
) -> Object:
    """The program of an assembly source, which may include what the examples include.

    With `confine` it includes nothing from outside these directories and the examples'.
    """
    import guests
    from asm.assembler import assemble as assemble_file

    dirs, within = _dirs(source, include), ()
    if confine:  # files beside the source are found anyway
        dirs, within = [*(include or []), guests.ROOT], (*confine, guests.ROOT)
    defines = guests.BUILDS[build]
    return assemble_file(source, include_dirs=dirs, defines=defines, confine=within)


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except (OSError, ValueError) as error:  # a name that is too long, or has a null character
        raise Refusal(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _no_example(text: str, known: list[str]) -> str:
    """Why there is nothing of that name, and what may have been meant."""
    import difflib

    near = difflib.get_close_matches(text, known, 1, 0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    if Path(text).name == text and not Path(text).suffix:
        return f"no file and no example is called {text!r}; {hint}"
    return f"{text}: no such file" + (f"; {hint}" if near else "")
