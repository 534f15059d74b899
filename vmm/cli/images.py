"""Answers for `--kernel` and `--disk`: what a machine boots, and its disks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from vmm.cli.files import Refusal, read
from vmm.cli.target import Target

SLOTS = 8  # equals `toyisa.core.memory.VIRTIO_SLOTS`, which is not imported because it needs numba
DISK_WORDS = frozenset(("ro", "cow", "legacy", *(f"slot={n}" for n in range(SLOTS))))

Images = tuple[tuple[Path, frozenset[str]], ...]


@dataclass(frozen=True)
class Opened:
    """A disk, locked, and how it is attached; without a slot, it gets the next free one."""

    disk: Any
    legacy: bool
    slot: int | None


@dataclass(frozen=True)
class Kernel:
    """A kernel Image, booted in place of a target, and what it is booted with."""

    path: Path
    image: bytes
    initrd: bytes | None
    append: str

    @property
    def name(self) -> str:
        return self.path.name

    def source_line(self, address: int) -> str | None:
        """An Image has no line information."""
        return None


class DiskImage(click.ParamType):
    """`FILE[,ro|,cow][,legacy][,slot=N]`: the file, and the words after it."""

    name = "disk"

    def convert(self, value, param, ctx) -> tuple[Path, frozenset[str]]:
        if isinstance(value, tuple):
            return value
        name, words = value, set()
        while "," in name and name.rpartition(",")[2] in DISK_WORDS:
            name, _, word = name.rpartition(",")
            words.add(word)
        if not name:
            self.fail(f"{value!r} names no file, such as disk.img,ro", param, ctx)
        if {"ro", "cow"} <= words:
            self.fail("a disk is `ro` or `cow`: read-only, or written in memory", param, ctx)
        if len([word for word in words if word.startswith("slot=")]) > 1:
            self.fail("a disk is in one slot", param, ctx)
        return Path(name), frozenset(words)


def in_slot(images: Images, slot: int) -> Images:
    """The same disks with the first one in a slot, as `--disk-slot` says; UsageError."""
    if not images:
        raise click.UsageError("--disk-slot needs --disk")
    (path, words), *others = images
    if _slot(words) is not None:
        raise click.UsageError("the slot of the first --disk is given twice")
    return ((path, words | {f"slot={slot}"}), *others)


def _slot(words: frozenset[str]) -> int | None:
    return next((int(word[5:]) for word in words if word.startswith("slot=")), None)


def open_disks(images: Images) -> list[Opened]:
    """The disks, locked; Refusal.  Starts fast: no numba."""
    from toyisa.devices.disk import Disk, DiskError
    from toyisa.devices.overlay import Overlay

    def opened(path: Path, words: frozenset[str]) -> Disk | Overlay:
        return Overlay(Disk(path, True)) if "cow" in words else Disk(path, "ro" in words)

    try:
        return [Opened(opened(path, words), "legacy" in words, _slot(words))
                for path, words in images]  # fmt: skip
    except DiskError as error:
        raise Refusal(str(error)) from None


def are_written(images: Images) -> bool:
    """Whether the guest may write to an image: a part that is run again would write again."""
    return any(not words & {"ro", "cow"} for _, words in images)


def load_kernel(path: Path, initrd: Path | None, append: str) -> Kernel:
    """The kernel in a file, and what it is booted with; Refusal."""
    data = read(path)
    return Kernel(path, data, None if initrd is None else read(initrd), append)


def names_in(path: Path) -> tuple[tuple[int, str], ...]:
    """Names of addresses in a file; Refusal."""
    from toyisa.load import symbols
    from toyisa.load.image import ImageError

    try:
        return symbols.read(path)
    except ImageError as error:
        raise Refusal(str(error)) from None


def refuse_unfit(what: Target | Kernel, mem: int, mark: str = "") -> None:
    """Refusal if a machine with `mem` bytes of RAM cannot run it, before a machine is made.

    `mark` is a symbol that it must have.
    """
    from toyisa.core.ram import RAM_BASE
    from toyisa.load import kernel
    from toyisa.load.image import ImageError, parse

    try:
        if isinstance(what, Kernel):
            found: set[str] = set()
            # The exact place of the device tree is known only when the tree is made.
            kernel.place(what.image, str(what.path), (RAM_BASE, mem), len(what.append), what.initrd)
        else:
            found = {name for _, name in parse(what.elf, what.name, RAM_BASE, mem).symbols}
    except ImageError as error:
        raise Refusal(str(error)) from None
    if mark and mark not in found:
        raise Refusal(
            f"{what.name}: is not patched for `pv`: it has no symbol {mark}; build it with the "
            "symbol PV defined (`toyvmm asm -D PV=1`), or choose another engine"
        )


def load(machine: Any, what: Target | Kernel, disks: list[Opened]) -> None:
    """Attach the disks to a new machine, and load what it boots; Refusal."""
    from toyisa.load.image import ImageError

    try:
        for opened in disks:
            machine.attach(opened.disk, opened.legacy, opened.slot)
        if isinstance(what, Kernel):
            machine.load_kernel(what.image, what.initrd, what.append)
        else:
            machine.load(what.elf)
    except ValueError as error:  # more disks than slots, or two in one
        raise Refusal(str(error)) from None
    except ImageError as error:
        raise Refusal(str(error)) from None
