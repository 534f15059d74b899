"""Answers for which engines there are, and what one is.

An engine is a way to run guest kernel code between exits.  No engine knows another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_REGISTERED: dict[str, "Engine"] = {}


@dataclass(frozen=True)
class Engine:
    """A way to run a guest's kernel; see `docs/howto/write-an-engine.md`.

    `unit` is compiled and called by the loop, with a `vmm.domain.requests.EngineRequest`.
    `install(machine)` sets the real hart's root record of a `VirtualMachine`, once. `frames`
    of real memory are the engine's own, from `vm.own` on.  `paging` are the ways in which it
    can translate addresses, its default first.  `build` names how a guest's source must be
    built, as in `guests.BUILDS`.  `boot(machine)` is called when a guest has been loaded and
    the hart set at its entry point, and may refuse it by an ImageError. `counters(machine)`
    is what the engine itself has counted, by name.
    """

    name: str
    summary: str
    unit: Callable[..., Any]
    install: Callable[[Any], None]
    frames: int = 0
    paging: tuple[str, ...] = ("shadow",)
    leaks: bool = False  # it runs a guest wrong if not every sensitive instruction traps
    build: str = ""
    boot: Callable[[Any], None] | None = None
    counters: Callable[[Any], dict[str, int]] | None = None
    traits: int = 0  # `vmm.domain.requests.Trait`: what the loop must know
    options: tuple[str, ...] = ()  # the names of its own options

    @property
    def unmodified(self) -> bool:
        """Whether it runs any kernel that runs bare."""
        return not self.build


@dataclass(frozen=True)
class Facts:
    """What the command must know of an engine before it imports the compiler.

    `mark` is a symbol that every guest of the engine has; `max_mem` is the most RAM for one.
    """

    module: str
    paging: tuple[str, ...] = ("shadow",)
    leaks: bool = False
    build: str = ""
    mark: str = ""
    max_mem: int = 2 << 30
    options: tuple[str, ...] = ()


# Engines by name; `module` has an `ENGINE`, and a test checks that it says the same.
_FACTS = {
    "trap": Facts("vmm.engines.trap", leaks=True),
    "bt": Facts(
        "vmm.engines.bt", options=("force", "adapt", "window", "patience", "cache_words", "width")
    ),
    "pv": Facts("vmm.engines.pv", ("direct",), build="pv", mark="toyvmm_pv_abi", max_mem=1 << 30),
}
NATIVE = "native"  # what the bare machine is called among them
BARE = Facts("", ("own",))  # the bare machine, which is not an engine


def facts(name: str) -> Facts:
    """What is known of the engine of that name without importing it; ValueError."""
    if name in _REGISTERED:
        known = _REGISTERED[name]
        return Facts("", known.paging, known.leaks, known.build, options=known.options)
    if name not in _FACTS:
        raise ValueError(f"no engine is called {name!r}; there are {', '.join(names())}")
    return _FACTS[name]


def with_option(option: str) -> tuple[str, ...]:
    """The engines that have an option of that name."""
    return tuple(name for name in names() if option in facts(name).options)


def register(engine: Engine) -> None:
    """Add an engine of your own under its name."""
    _REGISTERED[engine.name] = engine


def names() -> tuple[str, ...]:
    """Every engine that runs a guest under the monitor."""
    return (*_FACTS, *_REGISTERED)


def registered(name: str) -> bool:
    """Whether `register` added it: then another process does not know it."""
    return name in _REGISTERED


def find(name: str) -> Engine:
    """The engine of that name; ValueError."""
    if name in _REGISTERED:
        return _REGISTERED[name]
    return import_module(facts(name).module).ENGINE
