"""Answers for engines in files of the user's own: a file that registers one is imported.

The files are remembered, so that another process can import them too.
"""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from vmm import engines

_loaded: dict[Path, str] = {}  # the engine's name by file


def load(path: Path) -> str:
    """Import a file that registers an engine; return the engine's name.  ValueError says why
    not.
    """
    if path.resolve() in _loaded:
        return _loaded[path.resolve()]
    before = engines.names()
    spec = importlib.util.spec_from_file_location(_module_name(path), path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # numba looks up the module of a function
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from None
    new = [name for name in engines.names() if name not in before]
    if not new:
        raise ValueError(f"{path}: registers no engine; see docs/howto/write-an-engine.md")
    _loaded[path.resolve()] = new[-1]
    return new[-1]


def files() -> tuple[Path, ...]:
    """The files that were loaded, in the order in which they were loaded."""
    return tuple(_loaded)


def load_all(paths: Iterable[Path]) -> None:
    """Load these files, so that a process knows the same engines as the one that started it."""
    for path in paths:
        load(path)


def _module_name(path: Path) -> str:
    """The name by which a program imports the file, so that both use the same compiled code;
    another one if that name is taken.
    """
    name = path.stem
    free = name not in sys.modules and "." not in name and not importlib.util.find_spec(name)
    return name if free else f"toyvmm_engine_{name}"
