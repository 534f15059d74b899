"""Answers for `.include` and `.incbin`: finding files and bringing them in."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from asm.errors import AsmErrors, Fault, did_you_mean
from asm.frames import Frame
from asm.lexer import split, string
from asm.source import Source, read, read_bytes
from asm.unit import Unit

_MOST_NEIGHBOURS = 1000
# Each pass reads the same files again
_sources: dict[Path, tuple[tuple[int, int, int], Source]] = {}


def _include(unit: Unit, text: str) -> None:
    """`.include "file"`: the file's statements come next."""
    path = _find(unit, text)
    spot = unit.spot()
    while spot is not None:
        if _same(spot.frame.source.path, path):
            raise Fault(f"{path} includes itself", at=text, fatal=True)
        spot = spot.frame.parent
    try:
        source = _read(path)
    except AsmErrors as errors:
        raise _wrapped(errors, path, text) from None
    unit.push(Frame(source, unit.spot(), "included"))


def _incbin(unit: Unit, text: str) -> None:
    """`.incbin "file"[, skip[, count]]`: the file's bytes are data."""
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
    unit.files.setdefault(str(path), [])  # it was read, so no output may replace it
    unit.mark()
    unit.section.append(data[skip : skip + count])


def _find(unit: Unit, text: str) -> Path:
    """Find the file: beside the file that names it, else in the include directories."""
    name = os.fsdecode(string(text))
    if not name or "\0" in name:
        raise Fault("a file's name is missing", at=text)
    beside = Path(unit.frame.source.path).parent
    tried = [beside, *unit.places.search]
    irregular = None
    for directory in tried:
        path = directory / name
        if not _allowed(unit, path):
            raise Fault(
                f"`{name}` lies outside {unit.places.bounds()}",
                why="sources are confined: links are followed, then the place is looked at",
                at=name,
                fatal=True,
            )
        try:
            if path.is_file():
                return path
            unit.missing.add(str(path))
            if path.exists() and irregular is None:
                irregular = path
        except OSError as error:  # a name too long, or a directory that may not be read
            raise Fault(f"cannot read it: {error.strerror}", at=name, fatal=True) from None
    if irregular is not None:
        kind = "a directory, not a file" if irregular.is_dir() else "not a regular file"
        raise Fault(f"{irregular} is {kind}", at=name, fatal=True)
    raise Fault(
        f"cannot find `{name}`",
        why="looked in " + ", ".join(str(directory) for directory in tried),
        fix=_neighbour(name, beside, unit) or "`-I directory` adds a place to look in",
        at=name,
        fatal=True,
    )


def _allowed(unit: Unit, path: Path) -> bool:
    try:
        return unit.places.allow(path)
    except (OSError, RuntimeError):  # a circle of links, or a name too long: there is no such file
        return True


def _neighbour(name: str, beside: Path, unit: Unit) -> str:
    """A hint at a file in the same directory whose name is similar."""
    if not _allowed(unit, beside):
        return ""
    try:
        with os.scandir(beside) as entries:
            neighbours = [entry.name for entry in islice(entries, _MOST_NEIGHBOURS)]
    except OSError:
        return ""
    return did_you_mean(Path(name).name, neighbours)


def _same(a: str, b: Path) -> bool:
    try:
        return Path(a) == b or os.path.samefile(a, b)
    except (OSError, ValueError):
        return False


def _read(path: Path) -> Source:
    state = path.stat()
    changed = (state.st_mtime_ns, state.st_size, state.st_ino)
    held = _sources.get(path)
    if held is None or held[0] != changed:
        held = _sources[path] = (changed, read(path))
    return held[1]


def _wrapped(errors: AsmErrors, path: Path, text: str) -> Fault:
    problem = errors.problems[0]
    where = f"{path}:{problem.place.line}" if problem.place.line else str(path)
    return Fault(f"{where}: {problem.what}", why=problem.why, fix=problem.fix, at=text, fatal=True)


DIRECTIVES = {".include": _include, ".incbin": _incbin}
