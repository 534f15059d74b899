"""Answers for what firmware does before a kernel's first instruction.

It puts image, initrd and device tree into RAM, and sets the hart at the entry point.  The
device tree names the disks, so they must have been attached before.  Must not know formats
(`image.py`, `kernel.py`, `fdt.py`).
"""

from pathlib import Path
from typing import Protocol

import numpy as np

from toyisa.core.memory import PAGE, RAM_BASE, place_tohost
from toyisa.load import fdt, image, kernel
from toyisa.load.image import Load

File = str | Path | bytes


class Slots(Protocol):
    """The bus of a machine, as far as a device tree describes it."""

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots in which there is a virtio device."""


class Target(Protocol):
    """A machine into which something is loaded."""

    hart: np.record
    memory: np.record
    ram: np.ndarray
    bus: Slots
    program: str  # what was loaded: `image.digest`
    symbols: tuple[tuple[int, str], ...]

    def poke(self, pa: int, data: bytes) -> None:
        """Write bytes at a physical address."""

    def boot(self, entry: int, device_tree: int) -> None:
        """Set the hart as firmware leaves it."""


def load_elf(machine: Target, source: File) -> None:
    """Load an ELF, and a device tree on the last pages of RAM if they are free; ImageError."""
    found = image.read(source, RAM_BASE, machine.ram.size)
    machine.program = found.digest
    tree = _tree(machine)
    at = found.room_for(len(tree), (RAM_BASE, machine.ram.size))
    for segment in found.segments:
        _put(machine, segment)
    _put(machine, Load(at, tree, len(tree)))
    machine.symbols = tuple(sorted(found.symbols))
    _place_htif(machine, found)
    machine.boot(found.entry, at)


def _place_htif(machine: Target, found: image.Image) -> None:
    """Let the machine notice stores to `tohost`, by which a program talks to its host;
    ImageError.

    The doubleword must be in one page: the guest's pages need not be side by side in the
    machine's memory.
    """
    console = machine.memory.console
    for name, at in (("tohost", found.tohost), ("fromhost", found.fromhost)):
        if at is not None and (at % 4 or at % PAGE > PAGE - 8):
            reason = f"{name} at {at:#x} is not a 64-bit word within a page"
            raise image.ImageError(found.name, reason, "put `.align 3` before it")
    place_tohost(machine.memory, -1 if found.tohost is None else found.tohost)
    console.fromhost = -1 if found.fromhost is None else found.fromhost


def load_kernel(machine: Target, source: File, initrd: File | None, append: str) -> None:
    """Load a kernel `Image`, an initrd, and `append` as its command line; ImageError."""
    data = source if isinstance(source, bytes) else image.load(source)
    name = "the kernel" if isinstance(source, bytes) else str(source)
    if initrd is not None and not isinstance(initrd, bytes):
        initrd = image.load(initrd)
    machine.program = image.digest(data)
    room = len(_tree(machine, append, None if initrd is None else (0, 0)))
    placed = kernel.place(data, name, (RAM_BASE, machine.ram.size), room, initrd)
    _put(machine, placed.kernel)
    span = None
    if placed.initrd:
        _put(machine, placed.initrd)
        span = (placed.initrd.paddr, placed.initrd.paddr + placed.initrd.memsz)
    tree = _tree(machine, append, span)
    _put(machine, Load(placed.device_tree, tree, len(tree)))
    machine.boot(placed.entry, placed.device_tree)


def _put(machine: Target, segment: Load) -> None:
    """Place a segment that lies within RAM, and the zeros behind it."""
    machine.poke(segment.paddr, segment.data + bytes(segment.memsz - len(segment.data)))


def _tree(
    machine: Target, bootargs: str = "", initrd: tuple[int, int] | None = None
) -> bytes:
    tree = fdt.machine_tree(
        machine.ram.size, bootargs, initrd, machine.bus.slots, bool(machine.hart.root.svade)
    )
    return fdt.flatten(tree)
