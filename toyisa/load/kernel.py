"""Answers for a raw RISC-V kernel `Image`: whether it can boot here, and where it goes.

Source: Linux, Documentation/riscv/boot-image-header.rst.  Every refusal is one line: the
file, the reason, the fix.  Must not know how the machine's memory is kept.

     0  code0    the first instruction: execution starts here
     8  text_offset  where in RAM the image wants to be: Linux's 4 MiB on RV32, 2 MiB on RV64
    16  image_size   bytes in memory, zeroed data included
    24  flags    bit 0: big-endian
    56  magic2   "RSC\\5"
"""

import struct
from dataclasses import dataclass

from toyisa.core.ram import MAX_MEM
from toyisa.load.image import ImageError, Load

_HEADER = struct.Struct("<IIQQQII8s8s4sI")
_MAGIC = b"RSC\5"
ALIGNMENT = 2 << 20  # "must be aligned to a 2 MB boundary"; Linux on RV32 asks for 4 itself

_KNOWN = {
    b"\x7fELF": ("is an ELF file", "give it without --kernel, or use arch/riscv/boot/Image"),
    b"\x1f\x8b": ("is compressed (gzip)", "gunzip it"),
    b"\xfd7zX": ("is compressed (xz)", "unxz it"),
    b"BZh": ("is compressed (bzip2)", "bunzip2 it"),
    b"\x28\xb5\x2f\xfd": ("is compressed (zstd)", "unzstd it"),
}


@dataclass(frozen=True)
class Placed:
    """What to load where, physical addresses, and where to begin."""

    entry: int
    kernel: Load
    initrd: Load | None
    device_tree: int  # from here there is room for as many bytes as were asked for


def place(
    data: bytes, name: str, ram: tuple[int, int], tree_size: int, initrd: bytes | None = None
) -> Placed:
    """Lay out kernel `data`, initrd and device tree in `ram` (base, size); ImageError.

    From the top down the tree and the initrd, on pages of their own, so that the
    kernel finds the lower part of RAM in one piece.
    """
    offset, size = _check(data, name)
    base, ram_size = ram
    if offset + size > MAX_MEM:
        raise ImageError(name, f"says that it needs {offset + size:,} bytes of RAM, which no "
                         "machine here has", "build it again")  # fmt: skip
    top = base + ram_size
    tree = (top - tree_size) & ~0xFFF
    start = tree - len(initrd or b"") & ~0xFFF
    if base + offset + size > start:
        need = offset + size + (top - start)
        what = "does not fit" if initrd is None else "and its initrd do not fit"
        fix = f"give the machine more than {-(-need >> 20)} MiB (--mem)"
        raise ImageError(name, f"{what} into {ram_size >> 20} MiB of RAM", fix)
    return Placed(
        entry=base + offset,
        kernel=Load(base + offset, data, size),
        initrd=None if initrd is None else Load(start, initrd, len(initrd)),
        device_tree=tree,
    )


def _check(data: bytes, name: str) -> tuple[int, int]:
    """The image's offset in RAM and its size there; ImageError if it cannot boot here."""
    for magic, (reason, fix) in _KNOWN.items():
        if data.startswith(magic):
            raise ImageError(name, reason, fix)
    if len(data) < _HEADER.size or data[56:60] != _MAGIC:
        raise ImageError(name, "is not a RISC-V kernel Image", "use Linux's arch/riscv/boot/Image")
    code0, _, offset, size, flags, *_ = _HEADER.unpack_from(data)
    if flags & 1:
        raise ImageError(name, "is big-endian, the machine is little-endian")
    if offset % ALIGNMENT:
        reason = f"wants to be loaded at {offset:#x} in RAM, not a multiple of 2 MiB"
        raise ImageError(name, reason, "link it as an ELF")
    if code0 & 3 != 3:  # a compressed instruction; EFI's "MZ" is one
        fix = "turn CONFIG_EFI and CONFIG_RISCV_ISA_C off"
        raise ImageError(name, "is built with the C extension", fix)
    return offset, max(size, len(data))
