"""Answers for what firmware does before a kernel's first instruction.

Image, initrd and device tree are put into RAM and the hart at the entry.  The device
tree names the disks: they must have been attached before.  Must not know formats
(`image.py`, `kernel.py`, `fdt.py`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from toyisa import fdt, image, kernel
from toyisa.image import Load
from toyisa.memory import PAGE, RAM_BASE, place_tohost

if TYPE_CHECKING:
    from toyisa.machine import Machine

File = str | Path | bytes


def load_elf(machine: "Machine", source: File) -> None:
    """Load an ELF, with a device tree on the last pages of RAM; ImageError."""
    found = image.read(source, RAM_BASE, machine.ram.size)
    machine.program = found.digest
    for segment in found.segments:
        _put(machine, segment)
    machine.symbols = tuple(sorted(found.symbols))
    if found.tohost is not None:
        _watch_tohost(machine, found.tohost, source)
    tree = _tree(machine)
    at = machine.ram.size - -(-len(tree) // PAGE) * PAGE
    if not machine.ram[at:].any():  # else the kernel needs the place more
        _put(machine, Load(RAM_BASE + at, tree, len(tree)))
    machine.boot(found.entry, RAM_BASE + at)


def _watch_tohost(machine: "Machine", tohost: int, source: File) -> None:
    """Have stores to the 64-bit word at `tohost` be seen; ImageError if it is none.

    In one page: the guest's pages need not lie side by side in the machine's memory.
    """
    if tohost % 4 or tohost % PAGE > PAGE - 8:
        name = "the ELF" if isinstance(source, bytes) else str(source)
        reason = f"tohost at {tohost:#x} is no 64-bit word within a page"
        raise image.ImageError(name, reason, "put `.align 3` before it")
    at = tohost - RAM_BASE
    if 0 <= at <= machine.ram.size - 8:
        place_tohost(machine.memory, tohost)


def load_kernel(machine: "Machine", source: File, initrd: File | None, append: str) -> None:
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


def _put(machine: "Machine", segment: Load) -> None:
    """Place a segment that lies within RAM, zeros behind it."""
    machine.poke(segment.paddr, segment.data + bytes(segment.memsz - len(segment.data)))


def _tree(
    machine: "Machine", bootargs: str = "", initrd: tuple[int, int] | None = None
) -> bytes:
    tree = fdt.machine_tree(
        machine.ram.size, bootargs, initrd, machine.bus.slots, bool(machine.hart.root.svade)
    )
    return fdt.flatten(tree)
