"""Answers for which guest a command line names, with its console input and its disks.

Must not know which machine will run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmm.cli.files import Refusal, read, tell
from vmm.cli.images import (
    Images,
    Kernel,
    Opened,
    are_written,
    in_slot,
    load,
    load_kernel,
    names_in,
    open_disks,
    refuse_unfit,
)  # fmt: skip
from vmm.cli.refused import BuildFailed

if TYPE_CHECKING:
    from toyisa.tables.cost import CostModel
    from vmm.cli.target import Target
    from vmm.engines import Facts

NATIVE = "native"  # the bare machine: no monitor


@dataclass(frozen=True)
class Guest:
    """What is to be booted; `script` is its console input, or None for stdin.

    `symbols` are further names for addresses; `inputs` are all the files that this came from.
    """

    what: Target | Kernel
    script: bytes | None
    images: Images
    symbols: tuple[tuple[int, str], ...] = ()
    inputs: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        return self.what.name

    def disks(self) -> list[Opened]:
        """The disks, locked before a machine is made; Refusal."""
        return open_disks(self.images)

    def load(self, machine: Any, disks: list[Opened]) -> None:
        """Put it into a new machine; Refusal."""
        load(machine, self.what, disks)
        self.name_addresses(machine)

    def name_addresses(self, machine: Any) -> None:
        """Give a machine the further names for addresses."""
        machine.symbols = tuple(sorted({*machine.symbols, *self.symbols}))

    @property
    def writes(self) -> bool:
        """Whether it may write to an image: a part that is run again would write again."""
        return are_written(self.images)


def chosen(
    context: click.Context, given: dict[str, Any], *, restore: Path | None = None,
    engine: str = NATIVE, mem: int = 0,
) -> Guest:  # fmt: skip
    """The guest that the options of `options.guest` name, read and checked; UsageError, Refusal.

    A source is assembled for `engine`, which will run it.  Nothing is compiled, and the
    compiler is not imported, so that a bad file is refused at once.
    """
    name, kernel, images = given["guest"], given["kernel"], given["images"]
    if [name, kernel, restore].count(None) == 3:
        raise click.UsageError("Missing argument 'TARGET'.", context)
    if kernel and (name or restore):
        raise click.UsageError("--kernel takes the place of TARGET and of --restore", context)
    if not kernel and (given["initrd"] or given["append"] is not None):
        raise click.UsageError("--initrd and --append need --kernel", context)
    if given["disk_slot"] is not None:
        images = in_slot(images, given["disk_slot"])
    no_demo = "--demo needs an example that has a script, and excludes --input"
    if given["demo"] and (given["script"] or kernel):
        raise click.UsageError(no_demo)
    known = facts(engine)
    if restore is None:
        refuse_size(mem or given["mem"], known.max_mem, engine)
    if "cost" in given:
        prices(given["cost"])
    if kernel:
        what = load_kernel(kernel, given["initrd"], given["append"] or "")
    elif name is None:
        what = _nothing(restore.name)
    else:
        what = find_target(name, list(given["include"]), known.build, _confined(name, given))
    if restore is None:
        refuse_unfit(what, mem or given["mem"], known.mark)
    script = given["script"]
    if given["demo"]:
        if not what.script:
            raise click.UsageError(no_demo)
        script = what.script
    symbols = names_in(given["symbols"]) if given["symbols"] else ()
    inputs = (kernel, given["initrd"], given["symbols"], script, restore,
              *(path for path, _ in images), *getattr(what, "sources", ()))  # fmt: skip
    return Guest(what, None if script is None else read(script), images, symbols,
                 tuple(path for path in inputs if path))  # fmt: skip


def _confined(name: str, given: dict[str, Any]) -> tuple[Path, ...]:
    """The directories from outside which a source includes nothing; none: it may include all.

    Whoever says what a guest must print (`--expect`) judges a guest of somebody else.
    """
    if given["confine"] is not None:
        if given["no_confine"]:
            raise click.UsageError("--confine and --no-confine exclude each other")
        return (given["confine"],)
    if given.get("expect") is None or given["no_confine"]:
        return ()
    return Path(name).parent, *given["include"]


def refuse_size(mem: int, most: int, engine: str) -> None:
    """Refusal if no machine has that much RAM, or none under this engine."""
    from toyisa.core import ram

    try:
        ram.refuse_size(mem)
    except ValueError as error:
        raise Refusal(str(error)) from None
    if mem > most:
        raise Refusal(f"under {engine} memory must be at most {most >> 20} MiB (--mem)")


@cache
def prices(name: str) -> CostModel:
    """The prices that `--cost` names, read once; Refusal."""
    from toyisa.tables.cost import CostError, load

    try:
        return load(name)
    except CostError as error:
        raise Refusal(str(error)) from None


def facts(engine: str) -> Facts:
    """What is known of an engine before the compiler is imported."""
    from vmm import engines

    return engines.BARE if engine == NATIVE else engines.facts(engine)


def _nothing(name: str) -> Target:
    """A target that is only a name: the machine was loaded before."""
    from vmm.cli.target import Target

    return Target(name, b"")


def find_target(
    name: str, include: list[Path], build: str = "", confine: Sequence[Path] = ()
) -> Target:
    """The target; if it has assembly errors, they are printed and end the command."""
    from asm.errors import AsmErrors
    from vmm.cli.target import find

    try:
        return find(name, include, build, confine)
    except AsmErrors as errors:
        tell(str(errors))
        raise BuildFailed(errors.problems) from None


def new_machine(settings: dict[str, Any]) -> Any:
    """A bare machine with nothing loaded; Refusal if it cannot be made."""
    from toyisa.machine import Machine

    return made(
        lambda level: Machine(
            settings["mem"], level, prices(settings["cost"]), settings["clock"], settings["svade"]
        ),
        settings,
    )


def made(make: Any, settings: dict[str, Any]) -> Any:
    """Call `make` with the profile in `settings`; Refusal if it raises ValueError."""
    from toyisa.tables.levels import Profile

    try:
        return make(Profile[settings["profile"].upper().replace("-", "_")])
    except ValueError as error:  # memory out of range, or a CostError
        raise Refusal(str(error)) from None
