"""Answers for `--kernel` and `--disk`: what a machine boots, and its disks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from vmm.cli.files import Refusal
from vmm.cli.target import Target

DISK_WORDS = ("ro", "cow", "legacy")


@dataclass(frozen=True)
class Kernel:
    """A kernel Image, booted in place of a target, and what it boots with."""

    image: Path
    initrd: Path | None
    append: str

    @property
    def name(self) -> str:
        return self.image.name

    def source_line(self, address: int) -> str | None:
        """An Image has no line information."""
        return None


class DiskImage(click.ParamType):
    """`FILE[,ro|,cow][,legacy]`: the file, and the words behind it."""

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
        return Path(name), frozenset(words)


def open_disks(images: tuple[tuple[Path, frozenset[str]], ...]) -> list[tuple[Any, bool]]:
    """The disks, locked, and whether each is legacy; Refusal.  Starts fast: no numba."""
    from toyisa.disk import Disk, DiskError
    from toyisa.overlay import Overlay

    def opened(path: Path, words: frozenset[str]) -> Disk | Overlay:
        return Overlay(Disk(path, True)) if "cow" in words else Disk(path, "ro" in words)

    try:
        return [(opened(path, words), "legacy" in words) for path, words in images]
    except DiskError as error:
        raise Refusal(str(error)) from None


def are_written(images: tuple[tuple[Path, frozenset[str]], ...]) -> bool:
    """Whether the guest may write to an image: to run a part again would write again."""
    return any(not words & {"ro", "cow"} for _, words in images)


def add_symbols(machine: Any, path: Path) -> None:
    """More names for addresses; Refusal."""
    from toyisa.image import ImageError

    try:
        machine.add_symbols(path)
    except ImageError as error:
        raise Refusal(str(error)) from None


def load(machine: Any, what: Target | Kernel, disks: list[tuple[Any, bool]]) -> None:
    """Attach the disks to a new machine and load what it boots; Refusal."""
    from toyisa.image import ImageError, parse
    from toyisa.memory import RAM_BASE

    try:
        for disk, legacy in disks:
            machine.attach(disk, legacy)
        if isinstance(what, Kernel):
            machine.load_kernel(what.image, what.initrd, what.append)
        else:
            parse(what.elf, what.name, RAM_BASE, machine.ram.size)  # for the name: `load` has bytes
            machine.load(what.elf)
    except ValueError as error:  # more disks than slots
        raise Refusal(str(error)) from None
    except ImageError as error:
        raise Refusal(str(error)) from None
