"""Answers for whether the files of a directory are still what was written there.

A manifest lists each file with its size and digest, and the units (names that the caller
chooses) for which the files are needed together.  Must not know what the files are for
(`jitcache.py`).
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

NAME = "manifest.json"
KINDS = {".o", ".nbi", ".nbc"}  # ours and numba's; what else is there is not looked at


def fingerprint(path: Path) -> list[int | str]:
    """Size and digest of a file; OSError if it cannot be read."""
    data = path.read_bytes()
    return [len(data), hashlib.blake2b(data, digest_size=16).hexdigest()]


def listing(directory: Path) -> dict[str, list[int | str]]:
    """Every finished file of compiled code below `directory`, fingerprinted."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix not in KINDS or not path.is_file():
            continue
        try:
            found[path.relative_to(directory).as_posix()] = fingerprint(path)
        except FileNotFoundError:
            continue  # another process replaced it between the two calls
    return found


def count(directory: Path) -> int:
    """How many units of compiled code are finished below `directory`, listed or not."""
    return sum(path.suffix in {".o", ".nbc"} for path in directory.rglob("*"))


def read(directory: Path) -> dict:
    """The manifest of `directory`; an empty one if it is missing or damaged."""
    try:
        content = json.loads((directory / NAME).read_text(encoding="utf-8"))
        marks = content["files"].values()
        if isinstance(content["units"], list) and all(type(mark[0]) is int for mark in marks):
            return content
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # a damaged manifest vouches for nothing, like an empty one
    return {"units": [], "files": {}}


def size(directory: Path) -> int:
    """Bytes of the files that the manifest lists."""
    return sum(mark[0] for mark in read(directory)["files"].values())


def write(directory: Path, units: list[str]) -> None:
    """List the files of `directory` as they are now, as the files of `units`."""
    content = {"units": sorted(set(units)), "files": listing(directory)}
    partial = directory / f"{NAME}.tmp.{os.getpid()}"
    partial.write_text(json.dumps(content), encoding="utf-8")
    os.replace(partial, directory / NAME)


def holds(directory: Path) -> bool:
    """Whether the files are exactly those listed."""
    return read(directory)["files"] == listing(directory)


def enforce(directory: Path) -> None:
    """Delete every file that is not as listed, so that the manifest holds again.

    A listed file that is damaged or missing breaks every unit, because the manifest does not
    say to which unit it belongs.  A file that is not listed was left by a process that died.
    Nothing vouches for it, so it is deleted, but it breaks no unit.
    """
    content = read(directory)
    listed, found = content["files"], listing(directory)
    for name, mark in found.items():
        if listed.get(name) != mark:
            (directory / name).unlink(missing_ok=True)
    whole = all(found.get(name) == mark for name, mark in listed.items())
    write(directory, content["units"] if whole else [])


def remove(directory: Path) -> int:
    """Delete the files that the manifest lists, if they are as listed; return how many bytes
    that was.

    Directories that are empty then are deleted too.  Everything else stays.
    """
    gone, folders = 0, {directory}
    for name, mark in read(directory)["files"].items():
        path = directory / name
        try:
            if Path(name).suffix not in KINDS or _leads_away(directory, path):
                continue
            if fingerprint(path) == mark:
                path.unlink()
                gone += mark[0]
        except (OSError, ValueError):
            continue
        folders.add(path.parent)
    (directory / NAME).unlink(missing_ok=True)
    for folder in sorted(folders, reverse=True):  # inner ones before outer ones
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()
    return gone


def _leads_away(directory: Path, path: Path) -> bool:
    """Whether a listed name is not the name of a file of ours below the directory."""
    return path.is_symlink() or path.parent.resolve() not in (
        directory.resolve(), *(p.resolve() for p in directory.iterdir() if not p.is_symlink())
    )  # fmt: skip
