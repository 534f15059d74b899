"""Answers for where things are kept from one run to the next: the user's cache folder.

Must not know what is kept.
"""

import os
import sys
import tempfile
from pathlib import Path

from toyisa.files import trusted
from toyisa.files.trusted import Untrusted


def root() -> Path:
    """The folder: `TOYVMM_CACHE_DIR`, or the user's cache folder; RuntimeError without a home."""
    if override := os.environ.get("TOYVMM_CACHE_DIR"):
        return Path(override).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "toyvmm"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache") / "toyvmm"


def fallback() -> Path:
    """The one if that cannot be used: ours, in a shared folder."""
    return Path(tempfile.gettempdir()) / f"toyvmm-{os.geteuid()}"


def programs() -> Path | None:
    """The directory of assembled programs, which only we can write to; None: there is none."""
    for base in (root, fallback):
        try:
            directory = trusted.require(base() / "programs", private=True)
        except (Untrusted, OSError, RuntimeError):
            continue
        if os.access(directory, os.W_OK):
            return directory
    return None
