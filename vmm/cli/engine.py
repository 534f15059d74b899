"""Answers for `--engine` and `--paging`: which machine, bare or virtual, a guest runs in."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from vmm.cli.files import Refusal, read
from vmm.cli.guest import NATIVE, facts, made, prices

MAX_FILE = 4 << 20  # bytes of a file that registers an engine


def names() -> tuple[str, ...]:
    """Every name that `--engine` accepts."""
    from vmm import engines

    return (NATIVE, *engines.names())


def find(name: str) -> str:
    """The engine's name, if there is such an engine; a FILE.py may register it; Refusal."""
    if name.endswith(".py"):
        return _from_file(Path(name))
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
        raise Refusal(f"no engine is called {name!r}; {hint}")
    return name


def paging_of(name: str, wanted: str | None) -> str:
    """How addresses are translated: as wanted, or as the engine does by default; Refusal."""
    known = facts(name).paging
    if wanted and wanted not in known:
        raise Refusal(f"the engine {name!r} has no paging {wanted!r}; it has {', '.join(known)}")
    return wanted or known[0]


def build_of(name: str) -> str:
    """How the source of a guest must be built for the engine: one of `guests.BUILDS`."""
    return facts(name).build


def own_options(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings for `--force` and `--no-adapt`; Refusal if the engine does not have them."""
    force, no_adapt = given.pop("force"), given.pop("no_adapt")
    known = facts(name).options
    if (force and "force" not in known) or (no_adapt and "adapt" not in known):
        raise Refusal("--force and --no-adapt are options of --engine bt")
    own = {"force": force or "inline", "adapt": not no_adapt}
    return {option: value for option, value in own.items() if option in known}


def machine_for(
    name: str, paging: str, settings: dict[str, Any], own: dict[str, Any] | None = None
) -> Any:
    """A machine with nothing loaded: bare, or virtual under that engine; Refusal."""
    from vmm.machine import new_machine

    options = dict(own or {})
    if len(facts(name).paging) > 1:
        options["paging"] = paging
    return made(
        lambda level: new_machine(
            name, mem=settings["mem"], profile=level, cost=prices(settings["cost"]),
            clock=settings["clock"], svade=settings["svade"], options=options or None,
        ),
        settings,
    )


def leaks(name: str, profile: str) -> bool:
    """Whether the engine runs guests wrong on a machine with this profile."""
    return profile != "strict" and facts(name).leaks


def _from_file(path: Path) -> str:
    """Import a file that registers an engine; return the engine's name."""
    from vmm.engines import outside

    if path.exists() and not path.is_file():
        raise Refusal(f"{path}: is not a regular file; see docs/howto/write-an-engine.md")
    read(path, MAX_FILE)
    try:
        return outside.load(path)
    except ValueError as error:
        raise Refusal(str(error)) from None
