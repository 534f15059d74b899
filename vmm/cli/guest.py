"""Answers for which guest a command line names, with its console input and its disks.

Must not know what machine it goes into.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmm.cli.files import Refusal, tell
from vmm.cli.images import (
    Images,
    Kernel,
    Opened,
    add_symbols,
    are_written,
    in_slot,
    load,
    open_disks,
)  # fmt: skip
from vmm.cli.status import Status
from vmm.cli.target import refuse_missing

if TYPE_CHECKING:
    from vmm.cli.target import Target


@dataclass(frozen=True)
class Guest:
    """What is to be booted; `script` is a file with console input, None: stdin."""

    what: Target | Kernel
    script: Path | None
    images: Images
    symbols: Path | None  # a file with more names for addresses

    @property
    def name(self) -> str:
        return self.what.name

    def disks(self) -> list[Opened]:
        """The disks, locked, before a machine is made; Refusal."""
        return open_disks(self.images)

    def load(self, machine: Any, disks: list[Opened]) -> None:
        """Put it into a new machine; Refusal."""
        load(machine, self.what, disks)
        self.name_addresses(machine)

    def name_addresses(self, machine: Any) -> None:
        """Give a machine the names that were asked for; Refusal."""
        if self.symbols:
            add_symbols(machine, self.symbols)

    @property
    def writes(self) -> bool:
        """Whether it may write to an image: to run a part again would write again."""
        return are_written(self.images)


def chosen(
    context: click.Context, given: dict[str, Any], *, restore: Path | None = None,
    build: Callable[[], str] = str,
) -> Guest:  # fmt: skip
    """The guest that the options of `options.guest` name; UsageError, Refusal.

    A source is assembled for what `build` answers, one of `guests.BUILDS`: to find out may
    take long, and is left until the guest is found.
    """
    name, kernel, images = given["guest"], given["kernel"], given["images"]
    if [name, kernel, restore].count(None) == 3:
        raise click.UsageError("Missing argument 'TARGET'.", context)
    if kernel and (name or restore):
        raise click.UsageError("--kernel takes the place of TARGET and of --restore", context)
    if not kernel and (given["initrd"] or given["append"] is not None):
        raise click.UsageError("--initrd and --append go with --kernel", context)
    if given["disk_slot"] is not None:
        images = in_slot(images, given["disk_slot"])
    if kernel:
        what = Kernel(kernel, given["initrd"], given["append"] or "")
    elif name is None:
        what = _nothing(restore.name)
    else:
        refuse_missing(name)
        what = find_target(name, list(given["include"]), build())
    script = given["script"]
    if given["demo"]:
        if script or kernel or not what.script:
            raise click.UsageError("--demo needs an example that has a script, and no --input")
        script = what.script
    return Guest(what, script, images, given["symbols"])


def _nothing(name: str) -> Target:
    """A target that only has a name: the machine has been loaded before."""
    from vmm.cli.target import Target

    return Target(name, b"")


def find_target(name: str, include: list[Path], build: str = "") -> Target:
    """The target; its assembly errors are printed and end the command."""
    from asm.errors import AsmErrors
    from vmm.cli.target import find

    try:
        return find(name, include, build)
    except AsmErrors as errors:
        tell(str(errors))
        raise click.exceptions.Exit(Status.USAGE) from None


def new_machine(settings: dict[str, Any]) -> Any:
    """A bare machine with nothing loaded; Refusal if it cannot be made."""
    from toyisa.machine import Machine

    return made(
        lambda level: Machine(
            settings["mem"], level, settings["cost"], settings["clock"], settings["svade"]
        ),
        settings,
    )


def made(make: Any, settings: dict[str, Any]) -> Any:
    """What `make` makes for the profile in `settings`; Refusal for its ValueError."""
    from toyisa.levels import Profile

    try:
        return make(Profile[settings["profile"].upper().replace("-", "_")])
    except ValueError as error:  # memory out of range, or a CostError
        raise Refusal(str(error)) from None
