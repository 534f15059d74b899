"""Answers for assembling: passes over a source until all branches fit, then an `Object`.

This is the package's public interface.  Must not know syntax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asm import source
from asm.assembled import Assembled, Name
from asm.errors import MAX_ERRORS, Fault, Problem, file_error
from asm.expr import Undefined, evaluate
from asm.guesses import Guesses
from asm.layout import place, resolve
from asm.limits import TIMEOUT, Budget
from asm.places import Places
from asm.reader import Reader
from asm.section import Section
from asm.source import Source
from asm.unit import Unit

BASE = 0x8000_0000
MAX_PASSES = 64


class Object(Assembled):
    """An assembled program, and the files it can be written to."""

    def elf(self) -> bytes:
        """The program as a static ELF32 executable."""
        from asm.elf import write

        return write(self)

    def listing(self) -> str:
        """Source lines beside their addresses and bytes; then symbols and sections."""
        from asm.listing import listing

        return listing(self)


@dataclass(frozen=True, slots=True)
class _Options:
    """How to assemble: everything but the source."""

    include_dirs: Sequence[Path] = ()
    defines: Mapping[str, int] | None = None
    base: int = BASE
    page_align: bool = False
    confine: Path | Sequence[Path] = ()
    timeout: float | None = TIMEOUT

    def places(self, main: str) -> Places:
        within = [self.confine] if isinstance(self.confine, str | Path) else self.confine
        return Places.of([Path(d) for d in self.include_dirs], [Path(d) for d in within], main)


def assemble(
    path: Path,
    *,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, int] | None = None,
    base: int = BASE,
    page_align: bool = False,
    confine: Path | Sequence[Path] = (),
    timeout: float | None = TIMEOUT,
) -> Object:
    """Assemble a file.  Raises AsmErrors with every error that was found.

    `defines` are constants, as `.equ` makes them.  With `page_align`, sections with different
    permissions do not share a page.  With `confine`, a directory or several, `.include` and
    `.incbin` read nothing outside them, wherever links lead: use it for sources from other
    people. After `timeout` seconds the source is refused; None means never.
    """
    options = _Options(include_dirs, defines, base, page_align, confine, timeout)
    return _assemble(source.read(Path(path)), options)


def assemble_text(
    text: str,
    name: str = "<string>",
    *,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, int] | None = None,
    base: int = BASE,
    page_align: bool = False,
    confine: Path | Sequence[Path] = (),
    timeout: float | None = TIMEOUT,
) -> Object:
    """Assemble a text, which errors call `name`, as `assemble` does a file."""
    try:
        source.encode(text)
    except UnicodeEncodeError:
        raise file_error(name, "this is not text: it has half a character") from None
    options = _Options(include_dirs, defines, base, page_align, confine, timeout)
    return _assemble(source.clean(name, text), options)


def _assemble(main: Source, options: _Options) -> Object:
    base = options.base
    if not 0 <= base < 1 << 32 or base & 3:
        raise file_error(main.path, f"base {base:#x} is not a 32-bit address, a multiple of 4")
    unit = _settled(main, options)
    if not any(section.size for section in unit.sections.values()):
        raise file_error(main.path, "there is nothing to assemble: no instructions, no data")
    loaded = place(unit, base, options.page_align)
    resolve(unit)
    symbols = _names(unit)
    rest = [section for section in unit.sections.values() if not section.loaded]
    entry = _entry(loaded, symbols)
    return Object(
        main, loaded + rest, symbols, unit.warnings, entry, unit.files, unit.loc, unit.missing
    )


def _settled(main: Source, options: _Options) -> Unit:
    """The last pass: as many are made as it takes until every size is known."""
    places = options.places(main.path)
    guesses, budget = Guesses(), Budget(options.timeout)
    for _ in range(MAX_PASSES):
        try:
            unit = Reader(main, places, guesses, budget)
        except Fault as fault:  # for the first frame this means that the file is too long
            raise file_error(main.path, fault.what, fault.why, fault.fix) from None
        for name, value in (options.defines or {}).items():
            _define(unit, name, value)
        unit.run()
        try:
            settled = not guesses.learn(unit.fixups, budget)
        except Fault as fault:  # the time is used up
            raise file_error(main.path, fault.what, fault.why, fault.fix) from None
        if settled:
            return unit
    raise file_error(main.path, "the sizes of branches do not settle", f"after {MAX_PASSES} passes")


def _define(unit: Unit, name: str, value: int) -> None:
    try:
        unit.assign(name, str(value))
    except Fault as fault:
        raise file_error(unit.main, f"cannot define it: {fault.what}") from None


def _names(unit: Unit) -> dict[str, Name]:
    """The defined symbols with their final values."""
    names = {}
    for at, symbol in enumerate(unit.symbols.by_name.values()):
        if "\1" in symbol.name or symbol.type == "section":
            continue
        try:
            if symbol.value is None:
                continue
            if not at & 1023:
                unit.budget.look()
            value, size = evaluate(symbol), evaluate(symbol.size)
        except Undefined as error:
            what = f"`{error.symbol.name}` is defined by means of itself"
            unit.problems.append(Problem(symbol.spot.place(), what))
            continue
        except Fault as fault:
            place = symbol.spot.place()
            unit.problems.append(Problem(place, fault.what, fault.why, fault.fix, fault.at))
            if fault.fatal or len(unit.problems) >= MAX_ERRORS:
                break
            continue
        section = getattr(symbol.value, "section", None)
        names[symbol.name] = Name(
            symbol.name,
            value & 0xFFFF_FFFF,
            size & 0xFFFF_FFFF,
            symbol.type,
            symbol.binding,
            section.name if section else "",
            symbol.hidden,
            symbol.visibility,
        )
    unit.check()
    return names


def _entry(loaded: Sequence[Section], symbols: Mapping[str, Name]) -> int:
    """`_start`, or the start of the first code if there is none."""
    if "_start" in symbols:
        return symbols["_start"].value
    code = [section for section in loaded if section.code and section.size]
    first = (code or [section for section in loaded if section.name == ".text"])[0]
    return first.address
