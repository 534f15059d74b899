"""Answers for `.include` and `.incbin`: finding files and bringing them in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asm.errors import AsmErrors, Fault, did_you_mean
from asm.frames import Frame
from asm.lexer import split, string
from asm.source import Source, read, read_bytes

if TYPE_CHECKING:
    from asm.unit import Unit

_sources: dict[Path, tuple[int, Source]] = {}  # passes read the same files again


def _include(unit: Unit, text: str) -> None:
    """`.include "file"`: its statements come next."""
    path = _find(unit, text)
    spot = unit.spot()
    while spot is not None:
        if Path(spot.frame.source.path) == path:
            raise Fault(f"{path} includes itself", at=text, fatal=True)
        spot = spot.frame.parent
    try:
        source = _read(path)
    except AsmErrors as errors:
        raise _wrapped(errors, path, text) from None
    unit.push(Frame(source, unit.spot(), "included"))


def _incbin(unit: Unit, text: str) -> None:
    """`.incbin "file"[, skip[, count]]`: its bytes are data."""
    items = split(text)
    if not 1 <= len(items) <= 3:
        raise Fault('expected "file"[, skip[, count]]', at=text)
    path = _find(unit, items[0])
    try:
        data = read_bytes(path)
    except AsmErrors as errors:
        raise _wrapped(errors, path, items[0]) from None
    skip = unit.value(items[1], "skip") if len(items) > 1 and items[1] else 0
    count = unit.value(items[2], "count") if len(items) > 2 else len(data)
    if skip < 0 or count < 0 or skip > len(data):
        raise Fault(f"{path} has {len(data)} bytes", at=text)
    unit.mark()
    unit.section.append(data[skip : skip + count])


def _find(unit: Unit, text: str) -> Path:
    """The file: beside the file that names it, else in the include directories."""
    name = string(text).decode(errors="replace")
    if not name or "\0" in name:
        raise Fault("a file's name is missing", at=text)
    beside = Path(unit.frame.source.path).parent
    tried = [beside, *unit.include_dirs]
    for directory in tried:
        if (directory / name).is_file():
            return directory / name
    neighbours = [path.name for path in beside.glob("*") if path.is_file()]
    raise Fault(
        f"cannot find `{name}`",
        why="looked in " + ", ".join(str(directory) for directory in tried),
        fix=did_you_mean(Path(name).name, neighbours) or "`-I directory` adds a place to look in",
        at=name,
        fatal=True,
    )


def _read(path: Path) -> Source:
    changed = path.stat().st_mtime_ns
    held = _sources.get(path)
    if held is None or held[0] != changed:
        held = _sources[path] = (changed, read(path))
    return held[1]


def _wrapped(errors: AsmErrors, path: Path, text: str) -> Fault:
    problem = errors.problems[0]
    where = f"{path}:{problem.place.line}" if problem.place.line else str(path)
    return Fault(f"{where}: {problem.what}", why=problem.why, fix=problem.fix, at=text, fatal=True)


DIRECTIVES = {".include": _include, ".incbin": _incbin}
