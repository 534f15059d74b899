"""Answers for where compiled code is kept, and that it is never stale or damaged.

This is the only place that sets `NUMBA_CACHE_DIR`.  Must not import numba, nor know what is
compiled.  Why it exists: numba's own cache looks only at the file of the function itself, so
after an edit of a callee in another module the caller's old code stays in use; two processes
that start cold both compile; and a damaged file ends the process.  Here the directory is
named after everything on which the code depends, and nobody else can write to it; one process
compiles while others wait; and a manifest vouches for the files (docs/adr/0002-jit-cache.md).

    from toyisa.compiled.njit import njit                    # enables the cache first
    jitcache.warm("the machine", compile_it, 5)    # once: everything that run needs
"""

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from toyisa.compiled import choice, manifest
from toyisa.files import lock, progress, trusted
from toyisa.files.place import fallback, root
from toyisa.files.progress import say
from toyisa.files.trusted import Untrusted

KEPT = 4  # directories of older sources that stay, for those who switch branches
APART = ("vmm/cli", "vmm/comparison", "vmm/fuzz", "toyisa/testing")  # no compiled code is there
ROOM = 64 << 20  # bytes that must be free, or a temporary directory is used

_directory: Path | None = None  # set once in a process, by `enable`


@cache
def sources() -> list[Path]:
    """The files on which compiled code depends.

    These are all files in `toyisa` and `vmm`, except the command, the comparison and the
    testing tools: nothing may import those (contracts of the linter), so no compiled code can
    depend on them.
    """
    home = Path(__file__).parents[2]
    apart = {str(home / folder) for folder in APART}
    found = []
    for top in ("toyisa", "vmm"):
        for folder, inner, names in os.walk(home / top):
            inner[:] = (name for name in inner if os.path.join(folder, name) not in apart)
            found += (Path(folder, name) for name in names if name.endswith((".py", ".toml")))
    return sorted(found)


def settings() -> tuple:
    """Everything on which code depends besides sources: versions, the CPU, and numba's settings."""
    import llvmlite.binding as llvm

    # Settings such as NUMBA_BOUNDSCHECK change the code but not numba's own key.
    chosen = {k: v for k, v in os.environ.items() if k.startswith("NUMBA_")}
    chosen.pop("NUMBA_CACHE_DIR", None)
    versions = [sys.version, *map(_version, ("numba", "llvmlite", "numpy"))]
    cpu = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    return sorted(chosen.items()), choice.compiler(), choice.portable_calls(), versions, cpu


def _version(package: str) -> bytes:
    """What a package says of its version, without importing it: numba takes long for that,
    and to ask `importlib.metadata` a tenth of a start."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for name in ("_version.py", "version.py"):
            with contextlib.suppress(OSError):
                return Path(folder, name).read_bytes()
    return b"unknown"


def key() -> str:
    """The name of the directory: a digest of everything on which the compiled code depends."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sources():
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    digest.update(repr(settings()).encode())
    return digest.hexdigest()


def enable() -> Path:
    """Point numba at this version's directory; call this before any cached function exists.

    It waits while another process compiles the same code.  If the user's cache folder cannot
    be written or trusted, the directory is in our own folder in the system's temporary
    folder; if that fails too, in one that is deleted when the process ends.
    """
    global _directory
    if _directory is not None:
        return _directory
    try:
        _directory = _open(root())
    except (Untrusted, OSError, RuntimeError) as error:  # RuntimeError: there is no home directory
        _directory = _elsewhere(error)
    atexit.register(_relist, _directory)
    os.environ["NUMBA_CACHE_DIR"] = str(_directory)
    # Another library has imported it in this process, and it has read the old value
    if "numba" in sys.modules:
        sys.modules["numba"].config.reload_config()
    return _directory


def _elsewhere(error: Exception) -> Path:
    """This version's directory in another place; prints where, unless code was kept there
    before.
    """
    reason = getattr(error, "strerror", None) or error
    try:
        directory = _open(fallback())
        what = f"it goes to {fallback()}"
    except (Untrusted, OSError):
        temporary = Path(tempfile.mkdtemp(prefix="toyvmm-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        directory, what = _open(temporary), "it serves this run only"
    if isinstance(error, Untrusted) or not manifest.read(directory)["units"]:
        say(f"cannot keep compiled code in {_named_root()} ({reason}): {what}; "
            "set TOYVMM_CACHE_DIR to a directory of yours that can be written")  # fmt: skip
    return directory


def _named_root() -> str:
    try:
        return str(root())
    except RuntimeError:
        return "your home directory"


def warm(what: str, compile_it: Callable[[bool], object], parts: int) -> None:
    """Call `compile_it`, which compiles or loads `what`; if cold, only one process at a time.

    Its argument says whether it is cold.  `parts` is how many units are compiled then, for
    the line on stderr.
    """
    directory = enable()
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return
    if what in manifest.read(directory)["units"]:
        try:
            compile_it(False)
            return
        except Exception as error:  # numba shows damage in many ways: EOFError, KeyError ...
            say(f"cannot load {what} ({type(error).__name__})")
            with _lock(directory):
                _wipe(directory)
    with _lock(directory):
        units = manifest.read(directory)["units"]
        if what in units:  # compiled by the process for which we waited
            compile_it(False)
            return
        if not progress.live():
            say(f"compiling {what} (once) ...")
        began, before = time.monotonic(), manifest.count(directory)

        def far() -> str:
            done = min(manifest.count(directory) - before, parts)
            return f"{done} of {parts} parts" if parts > 1 else ""

        with progress.watched(f"compiling {what}", far):
            compile_it(True)
        manifest.write(directory, [*units, what])
        _prune(directory)
        say(f"compiled {what} in {time.monotonic() - began:.1f} s")


def _open(base: Path) -> Path:
    """This version's directory below `base`: made if necessary, checked to be ours alone, and
    enforced.

    Untrusted, OSError.
    """
    trusted.require(base / "jit")
    directory = trusted.require(base / "jit" / key(), private=True)
    with tempfile.TemporaryFile(dir=directory):
        pass
    if shutil.disk_usage(directory).free < ROOM:
        raise OSError(f"less than {ROOM >> 20} MB are free in {directory}")
    os.utime(directory)  # it was used now; `_prune` looks at that
    if not manifest.holds(directory):
        with _lock(directory):
            manifest.enforce(directory)
    return directory


def _lock(directory: Path) -> contextlib.AbstractContextManager[bool]:
    """Hold the one lock of the cache.  It is beside the directories, so that it is never deleted
    while somebody waits for it.
    """
    return lock.held(directory.parent / "lock", _waiting)


def _waiting() -> None:
    say("waiting for another process that is compiling ...")


def _relist(directory: Path) -> None:
    """At exit: list what was compiled outside `warm`, such as another signature.

    If another process holds the lock, do not wait: what is not listed is compiled again.
    """
    with contextlib.suppress(OSError):
        if directory.is_dir() and not manifest.holds(directory):
            with lock.held(directory.parent / "lock", None) as held:
                if held:
                    manifest.write(directory, manifest.read(directory)["units"])


def _wipe(directory: Path) -> None:
    """Delete this version's code, which cannot be loaded."""
    for name in manifest.listing(directory):
        (directory / name).unlink(missing_ok=True)
    manifest.write(directory, [])


def kept(directory: Path) -> list[Path]:
    """The directories beside `directory` that hold code of some version; the last used first.

    Nothing else counts: users may keep other things in the folder.
    """
    found = [
        path for path in directory.parent.iterdir()
        if re.fullmatch("[0-9a-f]{16}", path.name) and not path.is_symlink()
        and (path / manifest.NAME).is_file()
    ]  # fmt: skip
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _prune(current: Path) -> None:
    """Delete the code of all versions except the last used; others compile again if they need
    it.
    """
    for path in [path for path in kept(current) if path != current][KEPT - 1 :]:
        manifest.remove(path)


def clear() -> int:
    """Delete the code of every version; return how many bytes that was."""
    directory = enable()
    with _lock(directory):
        return sum(map(manifest.remove, kept(directory)))
