"""Answers for compiled units on disk: found by name, or by what they were made from.

A file is named after the unit, its signature, and a digest of LLVM's text and all else that
the code depends on; so who has the text need not compile what another version has compiled.
It begins with a digest of its own content.  Must not know what the text means.
"""

import contextlib
import hashlib
import os
from pathlib import Path

from toyisa.compiled import jitcache, manifest
from toyisa.files import trusted

SUFFIX = ".o"
_MARK = 16  # bytes of the digest


class Damaged(Exception):
    """A file is not what was written there."""


def digest(*parts: str | bytes) -> str:
    """A short name for what these are."""
    found = hashlib.blake2b(digest_size=10)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()


def find(unit: str) -> Path | None:
    """The file of a unit in this version's directory, by the first part of its name."""
    with contextlib.suppress(OSError), os.scandir(jitcache.enable()) as found:
        for item in found:
            if item.name.startswith(f"{unit}-") and item.name.endswith(SUFFIX):
                return Path(item.path)
    return None


def read(path: Path) -> bytes:
    """The object in a file.  Damaged, OSError."""
    data = path.read_bytes()
    if _mark(data[_MARK:]) != data[:_MARK]:
        raise Damaged(f"{path} is damaged")
    return data[_MARK:]


def adopt(name: str) -> Path | None:
    """The file of this name here, from another version's directory if it is only there."""
    here = jitcache.enable()
    path = here / name
    if path.exists():
        return path
    for folder in jitcache.kept(here):
        with contextlib.suppress(OSError, trusted.Untrusted, Damaged):
            other = folder / name
            if folder == here or manifest.read(folder)["files"].get(name) is None:
                continue
            trusted.require(folder, private=True)
            return write(name, read(other))
    return None


def write(name: str, data: bytes) -> Path:
    """Keep an object under this name."""
    path = jitcache.enable() / name
    partial = path.with_name(f"{name}.tmp.{os.getpid()}")
    partial.write_bytes(_mark(data) + data)
    os.replace(partial, path)
    return path


def _mark(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_MARK).digest()
